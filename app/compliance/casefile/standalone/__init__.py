"""Opens and verifies case files; this folder alone, copied anywhere, with nothing but `cryptography`.

    python -m standalone open FILE --key RECIPIENT_PRIVATE.pem --out FOLDER
    python -m standalone verify FILE_OR_FOLDER --public-key AUDIT_PUBLIC.pem

It needs no database, no settings and nothing else of Kaika, and trusts nothing but the public key that it is
told. `python -m app casefile tool` makes one file of it.
"""
