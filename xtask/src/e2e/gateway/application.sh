# Answers one request with its path and the user that its headers name.
user=nobody
read -r method path version
while read -r name value && [ "$name" != "$(printf '\r')" ]; do
    [ "$name" = kubeflow-userid: ] && user=${value%?}
done
body="$path by $user"
printf 'HTTP/1.1 200 OK\r\ncontent-length: %s\r\nconnection: close\r\n\r\n%s' "${#body}" "$body"
