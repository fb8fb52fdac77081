# What sha256sum and stat say of all files of a release: mode, digest and path of each.
manifest() {
	(
		cd "$1" || exit 1
		find . -type f ! -path ./manifest -exec sha256sum {} + | sort
		find . -type f ! -path ./manifest -exec stat -c '%a %n' {} + | sort
		find . ! -type f ! -type d
	)
}
