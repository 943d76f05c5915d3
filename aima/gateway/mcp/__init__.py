"""MCP at AIMA's door: what agents may do, said in their protocol.

It is a client of the REST API, in the same process or, over standard input and output, in another
one. So a tool takes, refuses, counts and logs what its REST route does, whatever the caller.
"""
