# More facts of a host, for a deploy: after observe.sh. trail.sh and cpus.sh stand before it.
manager
user=$(id -un)
say account "$uid $user"
[ -z "$salt" ] || say salt "$salt"
trail base "$home"
[ "$home" = "$spool" ] || trail spool "$spool"
trail zeek "$zeek"
# What is inside, as far as somebody else could have put it there, or could do so.
find "$home" "$home/releases" "$spool" "$spool/nodes" -maxdepth 2 \( -type d -o -type f \) \
	\( -perm -002 -o ! \( -user 0 -o -user "$uid" \) \) -exec stat -c '%f %u %n' {} + 2>/dev/null |
	head -n 5 | while IFS= read -r line; do
	say inside "$line"
done
cpus
# The mark keeps another observer from taking it for a stray.
said=$(CLUSTERCTL=-/version "$zeek" --version 2>/dev/null | head -n 1)
# Without a version, why there is none.
say version "${said:-$({ CLUSTERCTL=-/version "$zeek" --version; } 2>&1 | head -n 1)}"
# Newest first; our own names, which are hex digits.
# shellcheck disable=SC2012
ls -1t "$home/releases" 2>/dev/null | while IFS= read -r name; do
	case $name in
	*.info) ;;
	*)
		say release "$name"
		[ -f "$home/releases/$name.info" ] && dump info "$home/releases/$name.info"
		;;
	esac
done
[ -f "$home/pending" ] && dump pending "$home/pending"
[ -f "$home/current/clusterctl/secrets" ] && dump needs "$home/current/clusterctl/secrets"
# Digests, which tell no secret: it has keys in it.
[ -d "$home/secrets" ] && (cd "$home/secrets" && sha256sum -- *-* 2>/dev/null) | while IFS= read -r line; do
	say secret "$line"
done
# The release may have its queue elsewhere than the description has: the second argument of what archives.
queue=$spool
[ ! -f "$home/current/start/log-archiver" ] || while IFS= read -r line; do
	case $line in
	"arg "*) queue=${line#arg } ;;
	esac
done <"$home/current/start/log-archiver"
if [ "$queue" != "$spool" ]; then
	set -- "$queue"/log-queue/*__[0-9][0-9][0-9][0-9]-*__[0-9][0-9][0-9][0-9]-*__*
	[ ! -e "$1" ] || say stranded "$# $queue/log-queue"
fi
# Is there a systemd for the runner of that name?
if [ ! -d /run/systemd/system ]; then
	say systemd none
elif [ "$uid" = 0 ] || { [ -S "/run/user/$uid/systemd/private" ] && [ -e "/var/lib/systemd/linger/$user" ]; }; then
	say systemd ready
else
	say systemd "linger $user"
fi
# Does systemd end a user's processes when he logs out?
say logind "$(loginctl show-user "$user" -p Linger --value 2>/dev/null) $(grep -hs '^KillUserProcesses=' /etc/systemd/logind.conf /etc/systemd/logind.conf.d/*.conf 2>/dev/null | tail -n 1)"
