# What a host has of a release. Arguments: the cluster's folder, the release.
home=$1 id=$2
release=$home/releases/$id
if [ ! -f "$release/manifest" ]; then
	say missing
	exit 0
fi
if bulky "$release"; then
	say differs
elif [ "$(manifest "$release" | sha256sum)" = "$(sha256sum <"$release/manifest")" ]; then
	say whole
	listed "$release"
else
	say differs
	listed "$release"
fi
[ -f "$release/clusterctl/version" ] && dump version "$release/clusterctl/version"
[ -f "$release/clusterctl/secrets" ] && dump secret "$release/clusterctl/secrets"
# Not all that is started is a Zeek: a script of the release has neither a binary nor inputs.
zeeks=''
for file in "$release"/start/*; do
	[ -f "$file" ] || continue
	say node "${file##*/}"
	zeek=''
	while read -r key value; do
		case $key in
		zeek) zeek=$value ;;
		input) say input "$value" ;;
		binary) say binary "$value" ;;
		zeekpath) break ;;
		esac
	done <"$file"
	[ -n "$zeek" ] || continue
	say zeek "$zeek"
	zeeks="$zeeks$zeek
"
done
# The binaries that are there now, each once.
[ -z "$zeeks" ] || printf '%s' "$zeeks" | sort -u | while IFS= read -r zeek; do
	say there "$(stat -L -c '%s %Y' "$zeek" 2>/dev/null || echo '- -') $zeek"
done
say end
