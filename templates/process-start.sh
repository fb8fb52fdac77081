# How the runner `process` starts a node: with a supervisor of its own. start.sh stands after it.
launch() {
	if command -v setsid >/dev/null 2>&1; then
		setsid sh "$@" </dev/null >/dev/null 2>supervisor.err &
	else
		sh "$@" </dev/null >/dev/null 2>supervisor.err &
	fi
}
# shellcheck disable=SC2154 # start.sh sets dir, home, release and node
is_supervised() {
	supervisor_alive "$dir"
}
# Another start may be under way: only a supervisor that pauses makes room, and of several new ones one stays.
# shellcheck disable=SC2154
begin() {
	tries=0
	while supervisor_alive "$dir" && ! node_alive "$dir" && [ "$tries" -lt 50 ]; do
		kill -USR1 "$p" 2>/dev/null
		tries=$((tries + 1))
		nap
	done
	supervisor_alive "$dir" && return
	mv -f "$dir/exit" "$dir/exit.last" 2>/dev/null
	cd "$dir" && launch "$home/releases/$release/clusterctl/supervisor.sh" "$home" "$dir" "$home/releases/$release" "$node"
	cd /
}
begun() {
	:
}
