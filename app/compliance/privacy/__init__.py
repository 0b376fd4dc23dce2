"""Looks for personal data where none may lie in clear: database, vault, keys, logs, temp folders, dumps.

needles   what is looked for, in every form in which it could have been written
search    finds thousands of them in a stream of bytes
marks     pictures, clips and embeddings, whoever's they are
files     folders, temp folders, core dumps
database  every table and column, and the raw files below
scan      one run over all of it, and its report; a needle itself is never printed
"""
