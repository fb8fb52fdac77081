# How the runner `process` starts a node: with a supervisor of its own. clean.sh stands before it, start.sh after it.
launch() {
	if command -v setsid >/dev/null 2>&1; then
		cleanly setsid sh "$@" </dev/null >/dev/null 2>supervisor.err &
	else
		cleanly sh "$@" </dev/null >/dev/null 2>supervisor.err &
	fi
}
# Another start may be under way: only a supervisor that pauses makes room, and of several new ones one stays.
begin_supervisor() {
	make_room
	supervisor_alive "$dir" && return
	if { IFS= read -r unit <"$dir/unit"; } 2>/dev/null; then
		# It was a unit before.
		manager
		ctl stop "$unit" >/dev/null 2>&1
		forget "$unit"
		rm -f "$dir/unit"
	fi
	mv -f "$dir/exit" "$dir/exit.last" 2>/dev/null
	cd "$dir" && launch "$home/releases/$release/clusterctl/supervisor.sh" "$home" "$dir" "$home/releases/$release" "$node"
	cd /
}
