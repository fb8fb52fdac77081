# Notes in the history of a host what was done there: the cluster's folder, the words. Two small files; never in the way
# of what is done: on a full disk the line is lost.
note_history() {
	[ ! -L "$1/history" ] || return 0
	if [ -n "$(find "$1/history" -prune -size +128 2>/dev/null)" ]; then
		mv -f "$1/history" "$1/history.1"
	fi
	printf '%s\n' "$(date +%s) $2" >>"$1/history"
} 2>/dev/null
