# What mod_wsgi runs: the policy's address in Apache's own children, the page in the daemon "mtasts".
#
# The policy directory is /var/lib/mtasts/policies, unless MTASTS_POLICY_DIR is exported in the file
# envvars beside apache2.conf.

from wsgi_policy import create_wsgi

application = create_wsgi()
