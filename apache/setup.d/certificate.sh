# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# certificate.sh: for each domain a policy, a certificate in use, a look from outside, the records.

make_policy() { # DOMAIN
    file=/var/lib/mtasts/policies/$1/mta-sts.txt
    if [ -e "$file" ]; then
        ok policy "$file is there"
        return
    fi
    undo_demo remove "/var/lib/mtasts/policies/$1"
    # Without --mx and --yes it shows the live MX and asks, or says which option is missing.
    # shellcheck disable=SC2086 # words
    in_silence new mtasts new "$1" $mx_options $yes $resolver_option || fail policy-missing \
        "$1 has no policy, so nothing was ordered for it" \
        'Name its MX hosts with --mx, or add --yes to take those that DNS names.'
    changed policy "$file, in mode testing, $(sed -n 's/^mx: */mx /p' "$file" | tr -d '\r' | paste -sd, -)"
}

in_silence() { # NAME COMMAND...: its words go into a log, unless it may ask or fails
    log=$state/$1.log
    shift
    if may_ask; then
        "$@"
    else
        "$@" >"$log" 2>&1 </dev/null || {
            last_lines "$log"
            return 1
        }
    fi
}

# ---- certbot --------------------------------------------------------------------------------

run_certbot() { # ARGUMENT...: in the demo with directories and a CA of its own
    if [ -n "$demo" ]; then
        REQUESTS_CA_BUNDLE=$demo/ca/ca.pem certbot --config-dir "$demo/letsencrypt" \
            --work-dir "$demo/letsencrypt/work" --logs-dir "$demo/letsencrypt/logs" "$@"
    else
        certbot "$@"
    fi
}

run_hook() {
    # shellcheck disable=SC2086 # words
    "$hook" $hook_options
}

hook=/usr/local/bin/mtasts-deploy-hook

choose_way() { # how certificates are had: by our plugin, or by a deploy hook
    if certbot_loads_our_plugin; then
        way=plugin
        ok certbot "$(certbot_version) loads the plugin mtasts"
    else
        way=hook
        note certbot "$(certbot_version) loads no plugins from here: webroot and deploy hook instead"
    fi
    plugin_options='' hook_options=''
    if [ "$server_root" != /etc/apache2 ] || [ "$ctl" != apache2ctl ]; then
        hook_options="--vhost-dir $server_root/mtasts --ctl $(command -v "$ctl")"
        plugin_options="--mtasts-vhost-dir $server_root/mtasts --mtasts-ctl $(command -v "$ctl")"
    fi
}

certbot_version() {
    run_certbot --version 2>&1 | head -n 1
}

get_certificate() { # DOMAIN
    host=mta-sts.$1
    if has_certificate "$host"; then
        ok certificate "$(vhost_of "$host") serves $host"
        return
    fi
    check_account
    say "      ordering a certificate for $host ..."
    undo_demo reload_apache
    undo_demo remove "$server_root/mtasts/$host.conf"
    if [ "$way" = plugin ]; then
        order_by_plugin "$host"
    else
        order_by_webroot "$host"
    fi || fail certificate-failed "certbot got no certificate for $host" \
        'Repair what certbot names above, then run this again.'
    has_certificate "$host" || fail certificate-unused \
        "certbot has a certificate for $host, but Apache was not told" "Run it by hand: $hook"
    changed certificate "$(vhost_of "$host") serves $host; certbot renews it"
}

vhost_of() { # HOST: the file of ours that serves it
    grep -liE "^[[:space:]]*Server(Name|Alias)[[:space:]]+$1[[:space:]]*\$" \
        "$server_root"/mtasts/*.conf 2>/dev/null | head -n 1
}

has_certificate() { # HOST: in use, and not the one of a virtual host that was taken over
    vhost=$(vhost_of "$1")
    [ -n "$vhost" ] && ! grep -q "$state/taken-over/" "$vhost"
}

order_by_plugin() { # HOST
    # shellcheck disable=SC2046,SC2086 # words
    in_silence certbot run_certbot run --mtasts $plugin_options $resolver_plugin_option $certbot_options \
        $(keep_or_renew "$1" 'installer = mtasts') -d "$1"
}

order_by_webroot() { # HOST
    # shellcheck disable=SC2046,SC2086
    in_silence certbot run_certbot certonly --webroot -w /var/lib/mtasts/webroot $certbot_options \
        $(keep_or_renew "$1" "renew_hook = $hook") -d "$1" \
        --deploy-hook "$hook${hook_options:+ $hook_options}" || return 1
    # certbot calls the hook for a new certificate only, not for one that it keeps
    has_certificate "$1" ||
        RENEWED_LINEAGE=$config_dir/live/$1 RENEWED_DOMAINS=$1 run_hook
}

keep_or_renew() { # NAME LINE: certbot writes down our way only when it gets a certificate by it
    renewal=$config_dir/renewal/$1.conf
    if [ ! -e "$renewal" ] || grep -qF "$2" "$renewal"; then
        echo --keep-until-expiring
    else
        echo --force-renewal
    fi
}

check_account() { # without a terminal certbot cannot ask for agreement to the CA's terms
    [ -z "$agree_tos" ] || return 0
    [ -z "$(find "$config_dir/accounts" -name regr.json 2>/dev/null)" ] || return 0
    ! may_ask || return 0
    fail terms-not-agreed "certbot has no account at the CA yet, and nobody is here to agree to its terms" \
        'Add --agree-tos, and --email ADDRESS for warnings about certificates that expire.'
}

set_certbot_options() {
    config_dir=${demo:-/etc}/letsencrypt
    certbot_options="$agree_tos${server:+ --server $server}${email:+ --email $email --no-eff-email}"
    if ! may_ask; then
        certbot_options="$certbot_options --non-interactive"
        [ -n "$email" ] || certbot_options="$certbot_options --register-unsafely-without-email"
    fi
}

# ---- is it so? ------------------------------------------------------------------------------

check_served() { # DOMAIN: this machine first, then every address in DNS, as a sender would
    # shellcheck disable=SC2086 # words
    until_true fetched "$1" --address 127.0.0.1 $ca_option || {
        last_lines "$state/fetch.log"
        fail not-served "this machine does not serve the policy of $1 as it should" \
            'Repair what is named above, then run this again.'
    }
    ok self-check "https://mta-sts.$1/.well-known/mta-sts.txt: $(head -n 1 "$state/fetch.log")"
    # shellcheck disable=SC2086
    if ! fetched "$1" $resolver_option $ca_option; then
        note self-check "as DNS leads there, not every address answers so:"
        sed 's/^/                       /' "$state/fetch.log"
    fi
}

fetched() { # DOMAIN OPTION...
    mtasts fetch "$@" >"$state/fetch.log" 2>&1
}

show_records() { # DOMAIN
    title "Publish in the zone of $1:"
    mtasts dns "$1"
}
