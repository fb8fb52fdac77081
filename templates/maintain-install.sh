# Makes a host maintain itself, or ends that. Arguments: the cluster's folder, a name for the timer,
# `install` or `remove`, every how many seconds. Input: for `install` the command of a crontab line,
# and the lines of a service after an empty line, and those of a timer after another one.
home=$1 name=$2 verb=$3 every=$4
why=''
our_format "$home" || {
	say fail "$why"
	exit 1
}
mark="# clusterctl $name"
system='' units=''
if [ -d /run/systemd/system ] && command -v systemctl >/dev/null 2>&1; then
	if [ "$(id -u)" = 0 ]; then
		system=--system units=/etc/systemd/system
	elif [ "$(loginctl show-user "$(id -un)" -p Linger --value 2>/dev/null)" = yes ]; then
		# Without lingering, a user's timers end with the user's last session.
		XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/run/user/$(id -u)}
		export XDG_RUNTIME_DIR
		if systemctl --user list-timers >/dev/null 2>&1; then
			system=--user units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
		fi
	fi
fi
# Everything but our own line, which ends in the mark.
others() {
	crontab -l 2>/dev/null | while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		*"$mark") ;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}
remove() {
	if [ -n "$system" ] && [ -f "$units/$name.timer" ]; then
		systemctl "$system" disable --now "$name.timer" >/dev/null 2>&1
		rm -f "$units/$name.timer" "$units/$name.service"
		systemctl "$system" daemon-reload
	fi
	if command -v crontab >/dev/null 2>&1 && crontab -l 2>/dev/null | grep -qF "$mark"; then
		kept=$(others)
		if [ -n "$kept" ]; then
			printf '%s\n' "$kept" | crontab -
		else
			crontab -r
		fi
	fi
	rm -f "$home/maintain"
}
part() {
	while IFS= read -r line && [ -n "$line" ]; do
		printf '%s\n' "$line"
	done
}
if [ "$verb" = remove ]; then
	remove
	say removed
	exit 0
fi
if [ ! -f "$home/current/clusterctl/maintain.sh" ]; then
	say fail "nothing is deployed there yet: run clusterctl deploy first"
	exit 0
fi
command=$(part)
if [ -n "$system" ]; then
	if ! { mkdir -p "$units" && part >"$units/$name.service" && part >"$units/$name.timer"; } 2>/dev/null; then
		say fail "can't write in $units"
		exit 0
	fi
	if ! why=$(systemctl "$system" daemon-reload 2>&1 && systemctl "$system" enable --now "$name.timer" 2>&1); then
		say fail "systemctl: $(printf '%s' "$why" | tail -n 1)"
		exit 0
	fi
	keep "$home/maintain" "systemd $every $(date +%s)"
	say installed "systemd $units/$name.timer"
	exit 0
fi
if ! command -v crontab >/dev/null 2>&1; then
	if [ -d /run/systemd/system ]; then
		say fail "there is no crontab on this host, and the systemd of $(id -un) ends when that user logs out; run as root: loginctl enable-linger $(id -un)"
	else
		say fail "there is neither systemd nor crontab on this host"
	fi
	exit 0
fi
minutes=$((every / 60))
[ "$minutes" -ge 1 ] || minutes=1
if ! { {
	others
	printf '@reboot %s %s\n' "$command" "$mark"
	printf '*/%s * * * * %s %s\n' "$minutes" "$command" "$mark"
} | crontab - 2>"$home/maintain.err"; }; then
	say fail "crontab: $(tail -n 1 "$home/maintain.err")"
	rm -f "$home/maintain.err"
	exit 0
fi
rm -f "$home/maintain.err"
keep "$home/maintain" "cron $every $(date +%s)"
say installed "cron"
