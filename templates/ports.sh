# Who listens on ports and is no node of this cluster. Argument: the spool folder. Input: ports as four hex digits, one
# a line. The kernel's table of sockets: proc(5), /proc/net/tcp.
spool=$1
wanted=' '
while IFS= read -r port && [ -n "$port" ]; do
	wanted="$wanted$port "
done
nodes=' '
for dir in "$spool"/nodes/*/; do
	node_alive "${dir%/}" && nodes="$nodes$p "
done
me=$(id -u)
# Sets pid to the process that has a socket, as far as we may look; else `-`.
holder() {
	# Numbers and the kernel's own names.
	# shellcheck disable=SC2012
	at=-
	pid=$(ls -l /proc/[0-9]*/fd 2>/dev/null | while IFS= read -r line; do
		case $line in
		/proc/*/fd:) at=${line#/proc/} ;;
		*"socket:[$1]") printf '%s' "${at%%/*}" && break ;;
		esac
	done)
	pid=${pid:--}
}
# 0A is LISTEN.
grep -h ' 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null | while read -r _ place _ _ _ _ _ uid _ inode _; do
	case $wanted in
	*" ${place##*:} "*) ;;
	*) continue ;;
	esac
	holder "$inode"
	case $nodes in
	*" $pid "*) continue ;;
	' ') ;;
	# A node with capabilities can't be looked into by its own user.
	*) [ "$pid" = - ] && [ "$uid" = "$me" ] && continue ;;
	esac
	name=-
	{ read -r name <"/proc/$pid/comm"; } 2>/dev/null
	user=$(id -un "$uid" 2>/dev/null)
	say listens "$place ${user:-$uid} $pid $name"
done
say ports end
