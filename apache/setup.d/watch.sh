# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# watch.sh: the timer that tells what changes (docs/watch.md).
#
# Not in the demo, whose domain only its own resolver knows.

install_watch() {
    [ -z "$demo" ] || return 0
    if ! command -v systemctl >/dev/null; then
        note watch "without systemd: let cron run 'mtasts watch', as docs/watch.md says"
        return
    fi
    make_account mtasts-watch 'MTA-STS watch' 'mtasts watch'
    place_units mtasts-watch.service mtasts-watch.timer
    if begin_units watch mtasts-watch.timer; then
        changed watch 'mtasts-watch.timer: the journal gets what changes; docs/watch.md says how to get it as mail'
    else
        ok watch 'mtasts-watch.timer was switched on before'
    fi
}
