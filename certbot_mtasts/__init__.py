"""The door for certbot: an authenticator and installer for policy hosts that Apache serves.

    plugin       the class that certbot sees; each method hands over.  options: its options
    compat       the one place that knows certbot's versions
    preflight    is this order going to succeed?  caa: may this CA issue?
    challenge    the token files that answer an HTTP-01 challenge
    deploy       a certificate's names and paths -> Apache serves it, or everything is as before
    vhost        the file per certificate, written and read; vhost.conf is its template
    apachectl    Apache's control program;  served: what Apache presents now
    deploy_hook  the same without the plugin, for a certbot that cannot load one

Only `plugin` and `compat` import certbot. Nothing here may need more than certbot brings along: a
plugin that cannot be imported stops every renewal of the machine.
"""
