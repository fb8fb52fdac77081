# Says every few seconds that the host is still at work, for a script that takes its time.
# Nothing is to be said at the end of that shell: bash does so where it is killed before it has begun.
trap - EXIT
(
	nap=''
	trap '[ -z "$nap" ] || kill "$nap"; exit 0' TERM
	while :; do
		sleep 5 >/dev/null 2>&1 &
		nap=$!
		wait "$nap"
		say beat
	done
) </dev/null &
beat=$! ended=0
trap 'ended=$?; kill "$beat" 2>/dev/null; echo "$T end $ended"' EXIT
trap 'exit 1' HUP INT TERM PIPE
