# SPDX-License-Identifier: MIT
# Completion of handoverd(8) for fish.

complete -c handoverd -f

complete -c handoverd -n __fish_use_subcommand -a serve -d 'Serve (the default)'
complete -c handoverd -n __fish_use_subcommand -a reload -d 'Hand over to a new run of the same command'
complete -c handoverd -n __fish_use_subcommand -a status -d 'Tell about the generations of the service'
complete -c handoverd -n __fish_use_subcommand -a dashboard -d 'Tell how a browser reaches the live page'
complete -c handoverd -n __fish_use_subcommand -a check -d 'Check options and configuration file'

complete -c handoverd -s h -l help -d 'Print help'
complete -c handoverd -l version -d 'Print the version'
complete -c handoverd -l config -rF -d 'Read options from a file'
complete -c handoverd -l listen -x -d 'Address to serve on'
complete -c handoverd -l root -xa '(__fish_complete_directories)' -d 'Directory of static files'
complete -c handoverd -l cache-control -x -d 'Cache-Control of files'
complete -c handoverd -l admin -x -d 'Address for the commands and the live page'
complete -c handoverd -l metrics -x -d 'Address for /metrics'
complete -c handoverd -l drain-timeout -x -d 'How long requests in flight may take'
complete -c handoverd -l ready-timeout -x -d 'How long a successor may take to get ready'
complete -c handoverd -l probation -x -d 'How long a successor is watched'
complete -c handoverd -l idle-timeout -x -d 'How long a connection may be idle'
complete -c handoverd -l public-health -d 'Answer /healthz and /readyz in public'
complete -c handoverd -l anchor -d 'Stay until the service ends'
complete -c handoverd -l draining-max -x -d 'Most generations that drain at one time'
complete -c handoverd -l threads -x -d 'Most threads for requests'
complete -c handoverd -l log-level -xa 'debug info warning error' -d 'What to log'
complete -c handoverd -l access-log -xa 'off combined json' -d 'A line for each request'
complete -c handoverd -l access-log-file -rF -d 'Where to append these lines'

complete -c handoverd -n '__fish_seen_subcommand_from reload' -l wait -d 'Until the probation is over'
complete -c handoverd -n '__fish_seen_subcommand_from status' -l json -d 'As JSON'
complete -c handoverd -n '__fish_seen_subcommand_from status' -l watch -d 'Keep it up to date on the terminal'
complete -c handoverd -n '__fish_seen_subcommand_from check' -l print -d 'What holds, and where it is from'
