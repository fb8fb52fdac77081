# What writers left that are gone: after a kill, or a full disk.
# Takes away those of these files whose names end in the pid of a process that is gone.
sweep() {
	for left in "$@"; do
		[ -e "$left" ] || continue
		case ${left##*.} in
		'' | *[!0-9]*) ;;
		*) [ -d "/proc/${left##*.}" ] || rm -rf "$left" ;;
		esac
	done
}
# Under the lock. Arguments: the cluster's folder, the spool folder.
sweep_all() {
	sweep "$1"/*.new.* "$1"/lock.* "$1"/check.* "$1"/releases/*.new.*
	for dir in "$2"/nodes/*/; do
		sweep "$dir"want.new.* "$dir"unit.new.* "$dir"run.new.* "$dir"exit.new.* "$dir"supervisor.* "$dir"archiving.* "$dir"last.*
	done
	# An operation that lost its connection may come back to these, but not after a day.
	find "$1/releases" "$1/secrets" -mindepth 1 -maxdepth 1 -mtime +0 \
		\( -name '.stage-*' -o -name '.gone-*' -o -name '.manifest-*' -o -name .new \) -exec rm -rf {} + 2>/dev/null
}
