#!/bin/sh
# sshd's ForceCommand: runs the command as it is; while there is a folder `ledger`, keeps what the session is sent.
# Argument: the folder in which that is.
if [ ! -d "$1/ledger" ]; then
	exec sh -c "$SSH_ORIGINAL_COMMAND"
fi
call=$1/ledger/$(date +%s%N).$$
printf '%s\n' "$SSH_ORIGINAL_COMMAND" >"$call.command"
tee "$call.stdin" | sh -c "$SSH_ORIGINAL_COMMAND"
