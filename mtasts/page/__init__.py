"""The page about domains and their reports: facts in, one HTML document out, no I/O.

`document` makes it from a template of `templates`, in which everything is escaped, of what the
other modules say: `attention` which domain comes first and what the first lines say, `section` what
there is to know of a domain, `chart` how its sessions look over time. Reports are hostile: whatever
is shown of them goes through `words.shown`, and nothing of them becomes a link.
"""
