# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# systemd.sh: our units where systemd looks for those of the administrator, and what it is told.

units=/etc/systemd/system

place_units() { # UNIT...
    placed='' edited=''
    for unit in "$@"; do place_file "$unit" "$units/$unit"; done
    ! change_is_open || keep_change # nothing of Apache's
    [ -z "$edited" ] || note 'systemd units' \
        "kept what somebody edited; the new version is beside it, as .new:$edited"
    if [ -z "$placed" ]; then
        ok 'systemd units' 'all are in place'
        return
    fi
    changed 'systemd units' "wrote$placed"
    ! systemd_runs || control_units daemon-reload
}

systemd_runs() {
    [ -d /run/systemd/system ]
}

control_units() { # COMMAND [UNIT...]
    systemctl -q "$@" >"$state/systemctl.log" 2>&1 || {
        last_lines "$state/systemctl.log"
        fail systemctl-failed "systemctl $* failed" 'Repair what it names, then run this again.'
    }
}

begin_units() { # NAME UNIT...: once, as packages of Debian do; who switches them off is not overruled
    mark="$state/$1-enabled"
    shift
    [ ! -e "$mark" ] || return 1
    undo_demo disable_units "$@"
    control_units enable "$@"
    ! systemd_runs || control_units start "$@"
    : >"$mark"
}

disable_units() { # UNIT...: as far as they are there
    systemctl -q disable "$@" >/dev/null 2>&1 || :
    ! systemd_runs || systemctl -q stop "$@" >/dev/null 2>&1 || :
}
