"""Who picked a policy up, as the access log of Apache tells it: lines in, senders and findings out.

`line` reads a line, `fetcher` says who may have sent it, `refusal` why it was no fetch, `tally`
adds all up, and `verdict` says what follows from that.
"""
