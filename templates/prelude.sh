# What every script begins with that is sent: the token, the arguments, and both begin marks.
set -u
umask 022
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
IFS= read -r T || exit 1
IFS= read -r n || exit 1
set --
while [ "$n" -gt 0 ]; do
IFS= read -r a || exit 1
set -- "$@" "$a"
n=$((n - 1))
done
trap 'echo "$T end $?"' EXIT
echo "$T begin"
echo "$T begin" >&2
