# Removes the folder that both sides share when whoever started this has ended: the system then
# closes our standard input. Once told to, runs a command inside of namespaces of its own, and
# removes what is left of it on the machine too.
#
# Arguments: the folder, which then has the command as the script `command`; the script for the
# inside.
folder=$1 inside=$2
trap '' HUP INT TERM
code=0
if read -r word && [ "$word" = start ]; then
    exec 3<&0
    unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc --propagation slave \
        sh -c "$inside" enclosure "$folder" </dev/null 3<&- &
    command=$!
    # Not read: a builtin cannot be ended by the end of the command.
    sh -c 'cat >/dev/null; kill -s KILL "$1"' watch "$command" <&3 3<&- 2>/dev/null &
    watch=$!
    wait "$command"
    code=$?
    kill -s KILL "$watch" 2>/dev/null

    # Control groups know no namespaces. containerd has made those of pods below this name, in the
    # one hierarchy or in each; the ones that are in use, by whomever, cannot be removed.
    tries=0
    while [ "$tries" -lt 50 ]; do
        left=
        for group in /sys/fs/cgroup/k8s.io /sys/fs/cgroup/*/k8s.io; do
            [ -d "$group" ] || continue
            find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null
            [ -d "$group" ] && left=1
        done
        [ "$left" ] || break
        sleep 0.1
        tries=$((tries + 1))
    done
fi
rm -rf --one-file-system -- "$folder"
exit "$code"
