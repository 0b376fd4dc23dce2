"""The audit trail watched over: signed checkpoints, proofs, export, and finding whatever was tampered with.

Entries are written with `activation.adapters.sql.audit.note`. What other rooms use of this package:

    made = await Checkpoints(sessions, readers, key).take()      # a new signed checkpoint
    proof = await prove(session, order_id)                       # app.compliance.audit.proofs; None: none yet
    document = proof.as_json()                                   # JSON, for a case file
    check_proof(document, public_key)                            # app.compliance.audit.proofs; [] is sound
"""
