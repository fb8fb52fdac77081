# The file systems of folders; room.sh stands before it. Input: a folder a line, as `WHAT PATH`. Answers of each:
# `folder WHAT yes|no PATH`, whether it can be written and what there is of it; `blocks` and `inodes` with df's own line.
while IFS= read -r line; do
	room "${line#* }"
	writable=no
	[ -w "$at" ] && writable=yes
	say folder "${line%% *} $writable $at"
	[ -z "$room" ] || say blocks "$room"
	# shellcheck disable=SC2086
	inodes=$($soon df -Pi "$at" 2>/dev/null | tail -n 1)
	[ -z "$inodes" ] || say inodes "$inodes"
done
say shown
