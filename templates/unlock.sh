# Frees a host's lock, whoever holds it. Arguments: the cluster's folder, the operation that is meant to hold it; who does that.
home=$1 operation=$2 who=${3:-}
held=''
{ read -r _ _ _ _ held _ <"$home/lock"; } 2>/dev/null
if [ -z "$held" ]; then
	say free
	exit 0
fi
if [ "$held" != "$operation" ]; then
	say fail "another operation has taken the lock meanwhile"
	exit 1
fi
identity "$home/lock"
# Its holder is a shell of ours that waits; it frees the lock when it is told to end.
if alive "$b" "$p" "$s"; then
	kill -TERM "$p" 2>/dev/null
	seconds
	limit=$((now + 5))
	while alive "$b" "$p" "$s" && [ "$now" -lt "$limit" ]; do
		nap
		seconds
	done
	alive "$b" "$p" "$s" && kill -KILL "$p" 2>/dev/null
fi
again=''
{ read -r _ _ _ _ again _ <"$home/lock"; } 2>/dev/null
if [ "$again" = "$operation" ] && ! mv -f "$home/lock" "$home/lock.free" 2>/dev/null && [ -e "$home/lock" ]; then
	say fail "can't remove $home/lock"
	exit 1
fi
note_history "$home" "begin unlock-$operation unlock $who"
note_history "$home" "end unlock-$operation "
say unlocked
