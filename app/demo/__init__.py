"""The demo: a studio applicant goes the whole way through the public interfaces of a real server.

It knows the server only as its address: HTTP, WebRTC, the command line; and it looks into the HLR itself,
so that what it prints in the end does not rest on the server's word.
"""
