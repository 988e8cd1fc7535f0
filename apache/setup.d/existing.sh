# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# existing.sh: virtual hosts of somebody else's making that serve a policy host already.
#
# They are never shadowed. Found before anything is done for their names; taken over only if
# somebody agrees: the policy comes into the policy directory byte for byte, then one reload switches
# from the old virtual host to ours, which serves the old certificate until the new one is there.
# $state/taken-over keeps what it takes to go back.

ask_existing() { # SUBCOMMAND ARGUMENT...: see existing.py
    (cd / && "$system_python" "$clone/apache/setup.d/existing.py" "$@")
}

find_existing() { # fills $existing: tab-separated file, places, policy hosts, other names
    hosts=
    for domain in $domains; do hosts="$hosts mta-sts.$domain"; done
    # shellcheck disable=SC2086 # words
    existing=$(ask_existing vhosts "$ctl" "$server_root/mtasts" $hosts) || fail apache-broken \
        "Apache's configuration could not be read" 'Repair what is named above, then run this again.'
    if [ -z "$existing" ]; then
        ok 'other vhosts' 'no other virtual host serves these names'
        return
    fi
    existing_files "$tab" check_existing
    agree_to_take_over
    existing_files "$tab" import_existing
}

tab=$(printf '\t')

existing_files() { # SEPARATOR COMMAND: calls it for every file with its places, hosts and other names
    printf '%s\n' "$existing" >"$state/existing"
    while IFS=$1 read -r file places served others <&9; do
        "$2"
    done 9<"$state/existing"
}

check_existing() {
    note 'other vhosts' "$file serves $served (port:line $places)"
    can_switch_off || [ -n "$others" ] || fail vhost-unmovable \
        "$file is neither in $server_root/sites-enabled nor in conf.d, so it cannot be switched off" \
        "Take $served out of it by hand, keeping its policy for: mtasts import."
    for host in $served; do
        [ -z "$others" ] || is_only_alias "$host" || fail vhost-shared \
            "$host is the ServerName of a virtual host in $file, which also serves $others" \
            "Name all its domains in one command, or take $host out of that file by hand."
    done
}

can_switch_off() {
    case $file in
    "$server_root"/sites-enabled/*.conf | "$server_root"/conf.d/*.conf) return 0 ;;
    *) return 1 ;;
    esac
}

is_only_alias() { # HOST: stands in ServerAlias lines of $file only
    ! grep -qiE "^[[:space:]]*ServerName[[:space:]]+\"?$1[[:space:]\":]*\$" "$file"
}

agree_to_take_over() {
    [ -z "$take_over" ] || return 0
    may_ask || fail existing-vhost "other virtual hosts serve these names; see the notes above" \
        'Add --take-over to keep their policies and let apache/setup switch them off.'
    agreed 'Take their policies over and switch these virtual hosts off?' || fail existing-vhost \
        'other virtual hosts serve these names, and nothing was changed for them' \
        'Run this again when they may be taken over.'
}

# ---- the policy -----------------------------------------------------------------------------

import_existing() {
    for host in $served; do
        import_policy_of "${host#mta-sts.}"
    done
}

import_policy_of() { # DOMAIN
    copy=$state/existing.policy
    if ! ask_existing policy "$1" >"$copy" 2>"$state/existing.log"; then
        source=$(policy_file)
        [ -f "$source" ] || fail existing-policy-unread \
            "the policy that $file serves for $1 could not be read: $(head -n 1 "$state/existing.log")" \
            "Fetch it yourself, and give it to: mtasts import $1 FILE. Then run this again."
        cp "$source" "$copy"
    fi
    ours=/var/lib/mtasts/policies/$1/mta-sts.txt
    if [ -e "$ours" ]; then
        cmp -s "$copy" "$ours" || fail existing-policy-differs \
            "$file serves another policy for $1 than $ours" \
            "Decide which one holds: remove one of them, then run this again."
        ok policy "$ours is what $file serves"
        return
    fi
    id=$(ask_existing id "$1" 2>/dev/null) || id=
    mtasts import "$1" "$copy" ${id:+--id "$id"} >"$state/import.log" 2>&1 || {
        last_lines "$state/import.log"
        fail existing-policy-invalid "the policy that $file serves for $1 cannot be taken over" \
            'Correct it where it is served now, then run this again.'
    }
    changed policy "$ours, byte for byte what $file serves"
}

policy_file() { # the static file of the virtual hosts in $file
    for place in $places; do
        root=$(directive_of "${place#*:}" DocumentRoot)
        [ ! -f "$root/.well-known/mta-sts.txt" ] || echo "$root/.well-known/mta-sts.txt"
    done | head -n 1
}

directive_of() { # LINE NAME: the directive's argument in the virtual host of $file at that line
    awk -v start="$1" -v name="$2" 'NR < start { next }
        tolower($1) == tolower(name) { gsub(/"/, "", $2); print $2; exit }
        tolower($1) == "</virtualhost>" { exit }' "$file"
}

# ---- the switch -----------------------------------------------------------------------------

take_vhosts_over() {
    old_lineages=
    [ -z "$existing" ] || existing_files "$tab" take_file_over
}

take_file_over() {
    bridge=
    for place in $places; do make_bridge; done
    begin_change
    install -d -m 0700 "$state/taken-over"
    if [ -z "$others" ]; then switch_file_off; else remove_names; fi
    if [ -n "$bridge" ]; then cross_bridge; else test_and_reload; fi
    keep_change
    changed 'other vhosts' "$served: $how; $state/taken-over/log says how to go back"
}

make_bridge() { # the old certificate, as our virtual host wants it
    certificate=$(directive_of "${place#*:}" SSLCertificateFile)
    key=$(directive_of "${place#*:}" SSLCertificateKeyFile)
    chain=$(directive_of "${place#*:}" SSLCertificateChainFile)
    [ -n "$certificate" ] || return 0
    case $certificate in
    */live/*/*) old_lineages="$old_lineages $(basename "$(dirname "$certificate")")" ;;
    esac
    bridge=$state/taken-over/${served%% *}
    install -d -m 0700 "$state/taken-over" "$bridge"
    if [ -n "$chain" ]; then
        cat "$certificate" "$chain" >"$bridge/fullchain.pem"
    else
        ln -sf "$certificate" "$bridge/fullchain.pem"
    fi
    ln -sf "${key:-$certificate}" "$bridge/privkey.pem"
}

switch_file_off() {
    site=$(basename "$file" .conf)
    if [ "$layout" = debian ]; then
        how="switched the site $site off"
        log_take_over "a2ensite $site"
        undo enable_site "$site"
        a2dissite -q "$site" >/dev/null
    else
        how="renamed $file to $file.off"
        log_take_over "mv $file.off $file"
        undo put_back "$file.off" "$file"
        mv "$file" "$file.off"
    fi
}

remove_names() { # from the ServerAlias lines of a file that serves other names, too
    real=$(readlink -f "$file")
    saved=$state/taken-over/$(basename "$real").before
    how="took the name out of $real"
    log_take_over "cp $saved $real"
    cp -p "$real" "$saved"
    keep_before "$real"
    awk -v served=" $served " 'tolower($1) == "serveralias" {
            kept = ""
            for (i = 2; i <= NF; i++)
                if (!index(served, " " tolower($i) " ")) kept = kept " " $i
            if (kept != "") print "    ServerAlias" kept
            next
        } { print }' "$saved" >"$real.part"
    mv "$real.part" "$real"
}

log_take_over() { # COMMAND that goes back
    printf '%s: to go back: %s; rm %s/mtasts/mta-sts.*.conf for these names; reload Apache\n' \
        "$served" "$1" "$server_root" >>"$state/taken-over/log"
}

cross_bridge() { # one graceful reload, in which no fetch is lost
    RENEWED_LINEAGE=$bridge RENEWED_DOMAINS=$served run_hook >"$state/bridge.log" 2>&1 || {
        take_change_back
        reload_if_running
        last_lines "$state/bridge.log"
        fail take-over-failed "our virtual host could not take the place of $file, which serves again" \
            'Repair what is named above, then run this again.'
    }
}

note_old_lineages() { # certificates that the new virtual hosts do not use
    for lineage in $old_lineages; do
        grep -qF "/live/$lineage/" "$server_root"/mtasts/*.conf ||
            note certificate "certbot goes on renewing $lineage, of a virtual host that is off;" \
                "if nothing else uses it: certbot delete --cert-name $lineage"
    done
}
