# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# watch.sh: the timer that tells what changes (docs/watch.md).
#
# It is switched on once, as packages of Debian do; who switches it off is not overruled. Not in the
# demo, whose domain only its own resolver knows.

install_watch() {
    [ -z "$demo" ] || return 0
    if ! command -v systemctl >/dev/null; then
        note watch "without systemd: let cron run 'mtasts watch', as docs/watch.md says"
        return
    fi
    make_account mtasts-watch 'MTA-STS watch' 'mtasts watch'
    place_units mtasts-watch.service mtasts-watch.timer
    if [ -e "$state/watch-enabled" ]; then
        ok watch 'mtasts-watch.timer was switched on before'
        return
    fi
    control_units enable mtasts-watch.timer
    ! systemd_runs || control_units start mtasts-watch.timer
    : >"$state/watch-enabled"
    changed watch 'mtasts-watch.timer: the journal gets what changes; docs/watch.md says how to get it as mail'
}
