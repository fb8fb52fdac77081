# The lock of a host; format.sh and claim.sh stand before it.
# Takes it: the cluster's folder, the operation, a line about the holder. It belongs to this process, and is taken over
# from one that is gone. 1: somebody else holds it, `held` says who; 2: it can't be had, `why` says why.
take_lock() {
	locked=$1 held=''
	our_format "$locked" || return 2
	myself
	mine="id $me $2 $3"
	claim "$locked/lock" "$mine"
	case $? in
	0) ;;
	1)
		held=${old#id * * * }
		return 1
		;;
	2)
		# What sh says of a full disk is often no more than that it could not write.
		free=$(df -Pk "$locked" 2>/dev/null | tail -n 1 | { read -r _ _ _ free _ && echo "$free"; })
		[ "$free" = 0 ] && why='No space left on device'
		why="can't write in $locked: ${why##*: }"
		return 2
		;;
	*)
		why="can't take over $locked/lock, whose holder is gone"
		return 2
		;;
	esac
}
free_lock() {
	disclaim "$locked/lock" "$mine"
}
