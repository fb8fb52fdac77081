# Deletes what older crashes of a node left below its folder: the newest 10 stay, for 30 days.
prune_crashes() {
	find "$1" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} + 2>/dev/null
	set -- "$1"/*/
	while [ "$#" -gt 10 ]; do
		rm -rf "$1"
		shift
	done
}
