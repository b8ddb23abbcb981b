# SPDX-License-Identifier: MIT
# Completion of handoverd(8) for bash, which is all it needs.

_handoverd() {
    local commands='serve reload status dashboard check'
    local options='--help --version --config --listen --root --admin --metrics --drain-timeout
        --ready-timeout --probation --idle-timeout --anchor --draining-max --threads --public-health
        --log-level --cache-control --access-log --access-log-file'
    local current=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} command='' word

    # As bash sees it, "=" is a word of its own.
    if [[ $current == '=' ]]; then
        current=''
    elif [[ $option == '=' ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    COMPREPLY=()
    case $option in
        --config | --access-log-file)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        --root)
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -d -- "$current")
            return
            ;;
        --log-level)
            mapfile -t COMPREPLY < <(compgen -W 'debug info warning error' -- "$current")
            return
            ;;
        --access-log)
            mapfile -t COMPREPLY < <(compgen -W 'off combined json' -- "$current")
            return
            ;;
        # What only its user knows.
        --listen | --admin | --metrics | --drain-timeout | --ready-timeout | --probation | \
            --idle-timeout | --draining-max | --threads | --cache-control) return ;;
    esac

    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " $commands " == *" $word "* ]] && command=$word
    done
    case $command in
        reload) options+=' --wait' ;;
        status) options+=' --json --watch' ;;
        check) options+=' --print' ;;
    esac
    if [[ $current == -* || -n $command ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
    fi
}
complete -F _handoverd handoverd
