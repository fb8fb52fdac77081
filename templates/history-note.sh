# Notes in the history of a host what was done there: the cluster's folder, the words. Two small files; never in the way
# of what is done: on a full disk the line is lost.
note_history() {
	# No link is followed, and no pipe waits for a reader.
	if [ -L "$1/history" ] || { [ -e "$1/history" ] && [ ! -f "$1/history" ]; }; then
		return 0
	fi
	if [ -n "$(find "$1/history" -prune -size +128 2>/dev/null)" ]; then
		mv -f "$1/history" "$1/history.1"
	fi
	# What a full disk cut off gets its end.
	[ -z "$(tail -c 1 "$1/history")" ] || echo >>"$1/history"
	printf '%s\n' "$(date +%s) $2" >>"$1/history"
} 2>/dev/null
