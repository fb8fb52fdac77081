# The lock of a host; lib.sh stands before it.
# Takes it: the cluster's folder, the operation, a line about the holder. It belongs to this process, and is taken over
# from one that is gone. 1: somebody else holds it, `held` says who; 2: it can't be had, `why` says why.
take_lock() {
	locked=$1
	read -r stat </proc/self/stat
	me=${stat%% *}
	rest=${stat##*) }
	mine="$2 $3"
	# shellcheck disable=SC2086
	set -- $rest
	mine="id $boot $me ${20} $mine"
	own=$locked/lock.$me
	# shellcheck disable=SC2034
	held='' why=''
	if ! why=$({ printf '%s\n' "$mine" >"$own"; } 2>&1); then
		rm -f "$own"
		# What sh says of a full disk is often no more than that it could not write.
		free=$(df -Pk "$locked" 2>/dev/null | tail -n 1 | { read -r _ _ _ free _ && echo "$free"; })
		[ "$free" = 0 ] && why='No space left on device'
		why="can't write in $locked: ${why##*: }"
		return 2
	fi
	tries=0
	# A link appears whole or not at all.
	until ln "$own" "$locked/lock" 2>/dev/null; do
		old=''
		{ read -r old <"$locked/lock"; } 2>/dev/null
		identity "$locked/lock"
		if alive "$b" "$p" "$s"; then
			rm -f "$own"
			# shellcheck disable=SC2034
			held=${old#id * * * }
			return 1
		fi
		tries=$((tries + 1))
		if [ "$tries" -gt 50 ]; then
			rm -f "$own"
			# shellcheck disable=SC2034
			why="can't take over $locked/lock, whose holder is gone"
			return 2
		fi
		# Its holder is gone, or a power failure has left it empty: one of those who see that takes it away, and only
		# if it is still the same.
		if [ -e "$locked/lock" ] && mkdir "$locked/lock.dead-$p-$s" 2>/dev/null; then
			again=''
			{ read -r again <"$locked/lock"; } 2>/dev/null
			[ "$again" = "$old" ] && rm -f "$locked/lock"
			rmdir "$locked/lock.dead-$p-$s"
		else
			nap
		fi
	done
	rm -f "$own"
}
free_lock() {
	kept=''
	{ read -r kept <"$locked/lock"; } 2>/dev/null
	[ "$kept" = "$mine" ] && rm -f "$locked/lock"
}
