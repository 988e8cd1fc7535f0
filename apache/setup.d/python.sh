# shellcheck shell=sh disable=SC2034,SC2154,SC2086 # the parts share variables; some of them hold words
# python.sh: our Python packages, for the Python of mod_wsgi and, where it is another one, for
# certbot's own.
#
# They come from this clone alone: built once into a wheel, installed without dependencies (those
# are Debian's packages, or certbot's own). pip downloads nothing.

system_python=/usr/bin/python3
our_packages='mtasts wsgi_policy certbot_mtasts'

install_python_packages() {
    sum=$(clone_sum)
    install_into "$system_python" 'python packages'
    own=$(certbot_python)
    if [ -n "$own" ] && [ "$(prefix_of "$own")" != "$(prefix_of "$system_python")" ]; then
        install_into "$own" 'certbot plugin'
    fi
    rm -rf "$state/build"
}

clone_sum() { # one checksum over everything that is installed
    (cd "$clone" && find setup.cfg setup.py $our_packages -type f ! -name '*.py[co]' |
        LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-64)
}

prefix_of() { # PYTHON
    "$1" -c 'import sys; print(sys.prefix)'
}

install_into() { # PYTHON STEP
    stamp=$state/python$(printf '%s' "$1" | tr / _)
    if [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && has_our_packages "$1"; then
        ok "$2" "this version is installed for $1"
        return
    fi
    begin_change
    # pip takes a directory along when its last file goes, even one of the system's own
    undo_demo make_directory "$(dirname "$1" | sed 's:^/usr/bin$:/usr/local/bin:')"
    undo_demo uninstall_python "$1"
    build_wheel
    pip_for "$1" install --no-deps --no-index --upgrade --force-reinstall "$wheel"
    printf '%s\n' "$sum" >"$stamp"
    changed "$2" "installed this version for $1"
}

has_our_packages() { # PYTHON
    (cd / && "$1" -c 'import sys
from importlib.util import find_spec
sys.exit(not all(find_spec(name) for name in sys.argv[1:]))' $our_packages)
}

build_wheel() { # from a copy, so that nothing is written into the clone; $wheel is its path
    wheel=$(find "$state/build/dist" -name '*.whl' 2>/dev/null) || :
    [ -z "$wheel" ] || return 0
    rm -rf "$state/build"
    mkdir "$state/build"
    (cd "$clone" && cp -R setup.cfg setup.py README.md $our_packages "$state/build")
    (cd "$state/build" && "$system_python" setup.py -q bdist_wheel) >"$state/build.log" 2>&1 || {
        last_lines "$state/build.log"
        fail build-failed "the Python packages could not be built; all it said is in $state/build.log" \
            "Check that $clone is a complete clone."
    }
    wheel=$(find "$state/build/dist" -name '*.whl')
}

pip_for() { # PYTHON ARGUMENT...
    interpreter=$1
    shift
    # Debian keeps pip away from its own packages (PEP 668); /usr/local is there for ours. An old
    # pip does not know these variables and needs none of them.
    (cd / && PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore \
        PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 "$interpreter" -m pip -q --no-cache-dir "$@") \
        >"$state/pip.log" 2>&1 || {
        last_lines "$state/pip.log"
        fail pip-failed "pip failed for $interpreter; all it said is in $state/pip.log" \
            "Repair what it names; for a virtual environment without pip: $interpreter -m ensurepip."
    }
}

uninstall_python() { # PYTHON
    [ ! -x "$1" ] || ! has_our_packages "$1" || pip_for "$1" uninstall -y mtasts
    [ -d /usr/local/bin ] || install -d -m 0755 /usr/local/bin # removing packages takes it when empty
    rm -f "$state/python$(printf '%s' "$1" | tr / _)"
}

# ---- certbot --------------------------------------------------------------------------------

certbot_python() { # prints the interpreter of the certbot on PATH; nothing if it is not a script of Python
    program=$(command -v certbot) || return 0
    interpreter=$(sed -n '1s/^#! *\([^ ]*python[^ ]*\).*/\1/p' "$program" 2>/dev/null)
    # pip writes this second form where the path is too long for a first line
    [ -n "$interpreter" ] ||
        interpreter=$(sed -n "2s/^'''exec' \"\\{0,1\\}\\([^\" ]*python[^\" ]*\\).*/\\1/p" "$program" 2>/dev/null)
    [ ! -x "$interpreter" ] || printf '%s\n' "$interpreter"
}

certbot_loads_our_plugin() {
    run_certbot plugins 2>/dev/null | grep -q '^\* mtasts$'
}
