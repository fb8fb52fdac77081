# The file system of a folder. Sets $at to the folder, or to what there is of the way to it, and $room to what POSIX df
# says of it in KiB: nothing where it says nothing. A server of files that is gone holds up nobody for long.
soon=''
command -v timeout >/dev/null 2>&1 && soon='timeout -s KILL 3'
room() {
	at=$1
	while [ ! -d "$at" ]; do
		at=${at%/*}
		at=${at:-/}
	done
	# shellcheck disable=SC2086
	room=$($soon df -Pk "$at" 2>/dev/null | tail -n 1)
}
