# shellcheck shell=sh disable=SC2034,SC2154 # the parts share their variables
# terminal.sh: everything that apache/setup says to, and asks of, the person who runs it.
#
# One line per step: "ok" found it as it should be, "done" changed the machine and says where.
# Colours are for terminals only, questions too: a run without a terminal fails and names the
# option that would have answered.

changes=0 told=''
trap 'ended $?' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -t 1 ] && [ -z "${NO_COLOR-}" ] && [ "${TERM-dumb}" != dumb ]; then
    green=$(printf '\033[32m') yellow=$(printf '\033[33m') red=$(printf '\033[31m')
    bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
    green='' yellow='' red='' bold='' plain=''
fi

ok() { # STEP TEXT: nothing had to be changed
    printf '%sok%s    %-16s %s\n' "$green" "$plain" "$1" "$2"
}

changed() { # STEP TEXT: this was changed, there
    changes=$((changes + 1))
    printf '%sdone%s  %-16s %s\n' "$bold" "$plain" "$1" "$2"
}

note() { # STEP TEXT...: nothing failed, but somebody should know
    step=$1
    shift
    printf '%snote%s  %-16s %s\n' "$yellow" "$plain" "$step" "$*"
}

say() { # TEXT
    printf '%s\n' "$1"
}

title() { # TEXT
    printf '\n%s%s%s\n' "$bold" "$1" "$plain"
}

fail() { # CODE WHAT REMEDY: ends the run; what was done stays, and the next run goes on from there
    told=yes
    printf '%sapache/setup: error [%s]:%s %s\nWhat to do: %s\n' "$red" "$1" "$plain" "$2" "$3" >&2
    exit 1
}

wrong_usage() { # WHAT
    told=yes
    printf '%sapache/setup: error [usage]:%s %s\nWhat to do: see apache/setup --help\n' \
        "$red" "$plain" "$1" >&2
    exit 2
}

ended() { # STATUS: nobody is left wondering
    [ "$1" -eq 0 ] || [ -n "$told" ] || fail stopped "it ended in the middle (status $1)" \
        "Run it again: it goes on from there. If it stops again, see the logs in ${state-its directory}."
}

on_a_terminal() {
    [ -t 0 ] && [ -t 1 ]
}

may_ask() {
    [ -z "$yes" ] && on_a_terminal
}

agreed() { # QUESTION: asks on the terminal; anything but yes is no
    printf '%s [y/N] ' "$1"
    read -r answer || answer=
    case $answer in
    [Yy] | [Yy][Ee][Ss]) return 0 ;;
    *) return 1 ;;
    esac
}

last_lines() { # FILE: the end of a log, indented, for an error
    tail -n 12 "$1" | sed 's/^/    /' >&2
}
