# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# journal.sh: what a run makes is written down before it is made, so that it can be taken back.
#
# $journal holds one line per change: the command that takes it back. All of them can be repeated,
# so neither a run nor its undoing minds being killed at any point. Two readers:
#   - a change of Apache's configuration that fails its test is taken back at once
#     (begin_change ... keep_change, or take_change_back);
#   - the demo is removed by taking back everything, last change first (take_all_back).
# No path in it contains a blank: that is checked where paths come in.

undo() { # COMMAND ARGUMENT...: one of those in take_back
    printf '%s\n' "$*" >>"$journal"
}

undo_demo() { # the same for what only the end of the demo takes back: no policy of a real domain, ever
    [ -z "$demo" ] || undo "$@"
}

begin_journal() { # DIRECTORY, which is made
    install -d -m 0755 "$1"
    journal=$1/journal
    [ -e "$journal" ] || : >"$journal"
}

begin_change() { # taken back in reverse, a change ends with Apache reading what was before
    change_is_open || {
        undo reload_apache
        undo change
    }
}

change_is_open() {
    awk '$1 == "change" { open = 1 } $1 == "kept" { open = 0 } END { exit !open }' "$journal"
}

keep_change() { # the demo goes on to keep its journal, which is needed for its removal
    if [ -n "$demo" ]; then
        undo kept
    else
        : >"$journal"
        rm -rf "$state/before"
    fi
}

take_change_back() {
    first=$(awk '$1 == "change" { if (!open) first = NR; open = 1 } $1 == "kept" { open = 0 }
                 END { print first }' "$journal")
    take_lines_back "$first"
    head -n "$((first - 1))" "$journal" >"$journal.part"
    mv "$journal.part" "$journal"
}

take_all_back() {
    take_lines_back 1
}

take_lines_back() { # FIRST: the lines from there on, the last one first
    tail -n "+$1" "$journal" | sed '1!G;h;$!d' >"$journal.reverse"
    while read -r command arguments <&8; do
        # shellcheck disable=SC2086 # the arguments are words
        take_back "$command" $arguments
    done 8<"$journal.reverse"
    rm "$journal.reverse"
}

take_back() { # COMMAND ARGUMENT...
    case $1 in
    change | kept) ;;
    remove) rm -rf -- "$2" ;;
    put_back) [ ! -e "$2" ] || mv -f -- "$2" "$3" ;;
    disable_module | disable_conf | disable_site) disable_again "${1#disable_}" "$2" ;;
    enable_site) APACHE_CONFDIR=$server_root a2ensite -q "$2" >/dev/null ;;
    reload_apache) reload_if_running ;;
    make_directory) mkdir -p -- "$2" ;;
    stop_apache) stop_apache ;;
    disable_units) shift && disable_units "$@" ;;
    uninstall_python) uninstall_python "$2" ;;
    remove_account) remove_account "$2" ;;
    purge_packages) purge_packages "$2" ;;
    stop_process) stop_process "$2" "$3" ;;
    *) fail journal-unreadable "$journal has a line that this version does not know: $1" \
        "Use the version of apache/setup that wrote it, or take that line out." ;;
    esac
}

keep_before() { # FILE: a copy of it as it is before our first change
    before=$(dirname "$journal")/before/$(printf '%s' "$1" | tr / _)
    undo put_back "$before" "$1"
    [ ! -e "$before" ] || return 0
    mkdir -p "$(dirname "$before")"
    cp -p -- "$1" "$before.part"
    mv -- "$before.part" "$before"
}
