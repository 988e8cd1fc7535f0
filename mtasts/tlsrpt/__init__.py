"""TLS reports (RFC 8460): their values, a tolerant reader, counting, explanations."""
