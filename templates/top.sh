# Samples a host and its nodes, again and again; lib.sh and room.sh stand before it. Arguments: the cluster's folder, the
# spool folder, the seconds between two samples, how many samples (0: as long as the input is open). Input: interfaces, one
# a line, and an empty line.
# Answers: `running`, as the release has it. Of each sample: `node PID START NAME` of nodes that run, and `nodes end`, now
# and then; `disk` with df's own line, now and then; then lines of the kernel's, each with a word before it where it has
# none of its own: `stat` (proc(5) /proc/PID/stat), `cpu`, `MemTotal:`, `MemAvailable:`, `net`, `up`; `sampled`.
home=$1 spool=$2 every=$3 left=$4
# One process reads it all, so that twenty nodes cost about what one does.
program='s/^[0-9][0-9]* (.*/stat &/p
/^cpu /p
/^MemTotal:/p
/^MemAvailable:/p
s/^[0-9.]* [0-9.]*$/up &/p'
while IFS= read -r name && [ -n "$name" ]; do
	program="$program
s/^ *$name:.*/net &/p"
done
[ -f "$home/current/clusterctl/version" ] && dump running "$home/current/clusterctl/version"
page=4
{ while read -r key value _; do
	[ "$key" = KernelPageSize: ] && page=$value && break
done </proc/self/smaps; } 2>/dev/null
say page "$page"
open=''
if [ "$left" = 0 ]; then
	exec 9<&0
	trap - EXIT
	cat <&9 >/dev/null 2>&1 &
	open=$!
	trap 'echo "$T end $?"' EXIT
fi
pids='' tick=0 stale=1
scan() {
	pids='' stale=''
	for dir in "$spool"/nodes/*/; do
		node_alive "$dir" || continue
		node=${dir%/}
		say node "$p $s ${node##*/}"
		pids="$pids $p"
	done
	say nodes end
}
while :; do
	if [ -n "$stale" ] || [ $((tick % 5)) -eq 0 ]; then
		scan
	fi
	if [ $((tick % 30)) -eq 0 ]; then
		room "$spool"
		[ -z "$room" ] || say disk "$room"
	fi
	files=''
	for p in $pids; do
		[ -e "/proc/$p/stat" ] && files="$files /proc/$p/stat" || stale=1
	done
	# shellcheck disable=SC2086
	sed -n "$program" /proc/uptime /proc/stat /proc/meminfo /proc/net/dev $files 2>/dev/null | while IFS= read -r line; do
		say "$line"
	done
	say sampled
	tick=$((tick + 1))
	[ "$tick" != "$left" ] || break
	sleep "$every"
	[ -z "$open" ] || kill -0 "$open" 2>/dev/null || break
done
