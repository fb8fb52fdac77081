# What a host has of all that a cluster needs; changes nothing. lost.sh and cpus.sh stand before it, ports.sh follows it. Arguments: the cluster's folder, the
# spool folder, Zeek's prefix, the archive or `-`, `plugins` to list Zeek's or `-`. Input: interfaces, one a line, an
# empty line, and what ports.sh reads.
home=$1 spool=$2 prefix=$3 archive=$4 plugins=$5
user=$(id -un 2>/dev/null)
uid=$(id -u)
{ read -r machine </etc/machine-id; } 2>/dev/null || machine=-
say host "${machine:--} $boot $(date +%s)"
say user "$uid ${user:-$uid}"
cpus
for tool in dd env tar gzip sha256sum sort find stat readlink sed grep df id date mkdir rmdir mv cp rm ln sleep head tail tr cat kill; do
	command -v "$tool" >/dev/null 2>&1 || say lacks "$tool"
done
for tool in taskset setsid timeout; do
	command -v "$tool" >/dev/null 2>&1 && say has "$tool"
done
zeek=$prefix/bin/zeek
if [ ! -e "$zeek" ]; then
	say zeek missing
elif [ ! -x "$zeek" ] || [ -d "$zeek" ]; then
	say zeek noexec
else
	say zeek "$(CLUSTERCTL=-/version "$zeek" --version 2>&1 </dev/null | head -n 1)"
	caps='?'
	command -v getcap >/dev/null 2>&1 && caps=$(getcap "$zeek" 2>/dev/null)
	say caps "$caps"
	listed=''
	[ "$plugins" = - ] || listed=$(CLUSTERCTL=-/version "$zeek" -N 2>/dev/null </dev/null)
	case $listed in
	*AF_Packet*) say af_packet yes ;;
	?*) say af_packet no ;;
	esac
fi
[ -x "$prefix/bin/zeek-archiver" ] && say archiver
# The folder itself, or what there is of the way to it.
folder() {
	room "$2"
	writable=no
	[ -w "$at" ] && [ -x "$at" ] && writable=yes
	# Size and what is free.
	room=$(printf '%s\n' "$room" | sed -n 's/.* \([0-9][0-9]*\)  *[0-9][0-9]*  *\([0-9][0-9]*\)  *[0-9][0-9]*% .*/\1 \2/p')
	say folder "$1 $writable $(stat -L -c '%a %u' "$at" 2>/dev/null || echo '- -') ${room:-- -} $at"
}
folder base "$home"
folder spool "$spool"
trail base "$home"
[ "$home" = "$spool" ] || trail spool "$spool"
trail zeek "$zeek"
[ "$archive" = - ] || folder archive "$archive"
[ -f "$home/format" ] && dump format "$home/format"
lost
# The kernel gives these at one reading only, and a shell reads byte by byte.
say ephemeral "$(cat /proc/sys/net/ipv4/ip_local_port_range 2>/dev/null)"
say reserved "$(cat /proc/sys/net/ipv4/ip_local_reserved_ports 2>/dev/null)"
# Its addresses, as the kernel has them: an address and what it is, in two lines; words in hex.
{ grep -hB 1 '/32 host LOCAL' /proc/net/fib_trie | while read -r mark address _; do
	[ "$mark" != '|--' ] || say address "$address"
done; } 2>/dev/null
{ while read -r address _; do
	say address "$address"
done </proc/net/if_inet6; } 2>/dev/null
linger=$(loginctl show-user "$user" -p Linger --value 2>/dev/null)
kills=$(busctl get-property org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager KillUserProcesses 2>/dev/null)
kills=${kills:-$(cat /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf 2>/dev/null | grep '^KillUserProcesses=' | tail -n 1)}
say logind "${linger:--} ${kills:--}"
[ -d /run/systemd/system ] && say systemd
# What a process may have at most, by the word $1 for it.
at_most() {
	while read -r _ what more _ hard other _; do
		case "$what $more" in
		"open files") say at_most "$1 nofile $hard" ;;
		"address space") say at_most "$1 memory $hard" ;;
		"core file") say at_most "$1 core $other" ;;
		esac
	done <"$2"
} 2>/dev/null
# A node of the runner `process` gets this session's limits, one of a user's systemd those of its manager.
at_most process /proc/self/limits
most=$(cat /proc/sys/fs/nr_open 2>/dev/null)
[ -z "$most" ] || say at_most "kernel nofile $most"
if [ -S "/run/user/$uid/systemd/private" ]; then
	say usermanager
	pid=$(systemctl show -p MainPID --value "user@$uid.service" 2>/dev/null)
	at_most systemd "/proc/${pid:-0}/limits"
	grants
	[ -z "$granted" ] || say granted "$granted"
fi
while IFS= read -r name && [ -n "$name" ]; do
	flags=-
	{ read -r flags <"/sys/class/net/$name/flags"; } 2>/dev/null
	say interface "${flags:--} $name"
done
say looked
set -- "$spool"
