# Functions about systemd's units, after lib.sh.
# Sets uid, and the folder of units that are ours to write: the system's, or those of our own manager.
manager() {
	uid=''
	while read -r key uid _; do
		[ "$key" = Uid: ] && break
	done </proc/self/status
	units=/etc/systemd/system wants=multi-user.target.wants
	[ "$uid" = 0 ] || units=${HOME:-}/.config/systemd/user wants=default.target.wants
}
ctl() {
	if [ "$uid" = 0 ]; then
		timeout 60 systemctl "$@"
	else
		# A session that SSH made for one command may not know it.
		XDG_RUNTIME_DIR=/run/user/$uid timeout 60 systemctl --user "$@"
	fi </dev/null
}
# Sets out to the first argument with each of the second replaced by the third.
swap() {
	out='' tail=$1
	while :; do
		case $tail in
		*"$2"*)
			out=$out${tail%%"$2"*}$3
			tail=${tail#*"$2"}
			;;
		*) break ;;
		esac
	done
	out=$out$tail
}
# Sets unit to that of a node of a cluster: systemd.unit(5) escapes `-` in an instance, and has it between the two.
# Names have nothing else that would need it.
unit_of() {
	swap "$1" - '\x2d'
	unit=clusterctl@$out
	swap "$2" - '\x2d'
	unit=$unit-$out.service
}
# Sets granted to what our manager can hand on of the capabilities that capturing needs: where root has given it some, as
# AmbientCapabilities= of user@UID.service (systemd.exec(5), capabilities(7)). What the system's manager starts has all.
grants() {
	granted='' held=0
	[ "$uid" != 0 ] || return 0
	main=$(timeout 10 systemctl show "user@$uid.service" -p MainPID --value 2>/dev/null)
	while read -r key value; do
		[ "$key" = CapInh: ] && held=$value && break
	done <"/proc/${main:-0}/status"
	[ $((0x$held & 0x2000)) = 0 ] || granted=CAP_NET_RAW
	[ $((0x$held & 0x1000)) = 0 ] || granted="${granted:+$granted }CAP_NET_ADMIN"
} 2>/dev/null
# Takes away what systemd knows of units; they do not run any more.
forget() {
	for unit in "$@"; do
		rm -rf "$units/$unit.d" "${units:?}/${wants:?}/$unit"
	done
	ctl daemon-reload
	ctl reset-failed "$@" 2>/dev/null
	return 0
}
