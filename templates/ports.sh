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
	pid=- at=''
	# shellcheck disable=SC2012
	links=$(ls -l /proc/[0-9]*/fd 2>/dev/null | while IFS= read -r line; do
		case $line in
		/proc/*/fd:) at=${line%:} at=${at#/proc/} ;;
		*" -> socket:[$1]")
			line=${line%" -> socket:[$1]"}
			printf '%s/%s\n' "${at%/fd}" "${line##* }"
			;;
		esac
	done | head -n 50)
	# The name of a file that somebody has open can look like all of these lines; what the link itself says can not.
	set -f
	for link in $links; do
		process=${link%%/*} fd=${link#*/}
		case $process:$fd in
		*[!0-9:]* | :* | *:) continue ;;
		esac
		if [ "$(readlink "/proc/$process/fd/$fd")" = "socket:[$1]" ]; then
			pid=$process
			break
		fi
	done
	set +f
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
	case $user in
	'' | *[[:space:]]*) user=$uid ;;
	esac
	say listens "$place $user $pid ${name:--}"
done
say ports end
