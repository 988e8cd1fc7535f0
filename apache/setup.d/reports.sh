# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# reports.sh: the drop box for TLS reports, the account that takes in what it has kept, and the timer
# that tells what matters in them (docs/reports.md, docs/alerts.md). Once a machine has it, every later run looks after it.
#
# The secret comes last: the drop box takes reports as soon as there is one. It is never replaced,
# because the addresses that are published are made of it.

report_secret=/var/lib/mtasts/report-secret

wants_reports() {
    [ -n "$reports" ] || [ -e "$report_secret" ]
}

set_up_reports() {
    wants_reports || return 0
    check_ledger_libraries
    make_account mtasts-reports 'MTA-STS reports' 'mtasts report ingest'
    make_report_directories
    install_report_units
    make_report_secret
}

check_ledger_libraries() { # of Ubuntu 20.04 and older, they are too old
    "$system_python" -c 'import alembic, sqlalchemy, sys
sys.exit([int(part) for part in sqlalchemy.__version__.split(".")[:2]] < [1, 4])' 2>/dev/null ||
        fail reports-libraries "reports cannot be kept with this system's SQLAlchemy, which is older than 1.4" \
            "Install newer ones, then run this again: $system_python -m pip install 'SQLAlchemy>=1.4' 'alembic>=1.7'"
}

make_report_directories() { # the web application puts into the spool, the other account takes away
    made=
    make_owned_directory /var/lib/mtasts/spool 2770 mtasts
    make_owned_directory /var/lib/mtasts/reports 0750 mtasts-reports
    if [ -n "$made" ]; then changed 'report folders' "made$made"; else ok 'report folders' 'all are there'; fi
}

make_owned_directory() { # PATH MODE OWNER
    [ ! -d "$1" ] || return 0
    undo_demo remove "$1"
    install -d -m "$2" -o "$3" -g mtasts-reports "$1.part"
    mv "$1.part" "$1"
    made="$made $1"
}

make_report_secret() {
    if [ -s "$report_secret" ]; then
        ok 'drop box' "takes reports; $report_secret is there"
        return
    fi
    undo_demo remove "$report_secret"
    (umask 077 && openssl rand -hex 32 >"$report_secret.part")
    chown root:mtasts "$report_secret.part"
    chmod 0640 "$report_secret.part"
    mv "$report_secret.part" "$report_secret"
    changed 'drop box' "takes reports, at addresses made with $report_secret"
}

install_report_units() {
    if ! command -v systemctl >/dev/null; then
        note 'drop box' "without systemd: let cron run 'mtasts report ingest' and 'mtasts report watch' as mtasts-reports"
        return
    fi
    place_units mtasts-report.service mtasts-report.path mtasts-report.timer \
        mtasts-report-watch.service mtasts-report-watch.timer \
        mtasts-metrics.service mtasts-metrics.timer # for whoever has a Prometheus, and switches it on
    if begin_units reports mtasts-report.path mtasts-report.timer; then
        changed 'report units' 'mtasts-report.path and .timer take reports from the spool into the ledger'
    else
        ok 'report units' 'mtasts-report.path and .timer were switched on before'
    fi
    if begin_units report-watch mtasts-report-watch.timer; then
        changed alerts 'mtasts-report-watch.timer: the journal gets them; docs/alerts.md says how to get them as mail'
    else
        ok alerts 'mtasts-report-watch.timer was switched on before'
    fi
}
