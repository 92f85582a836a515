# Says of one request whether it may pass, as Envoy's ext_authz asks: with 200, and whose it is, or
# with an answer for whoever has sent it.
login=
read -r method path version
while read -r name value && [ "$name" != "$(printf '\r')" ]; do
    [ "$name" = cookie: ] && login=${value%?}
done
if [ "$login" = session=ann ]; then
    printf 'HTTP/1.1 200 OK\r\nkubeflow-userid: ann\r\ncontent-length: 0\r\n'
    printf 'connection: close\r\n\r\n'
else
    printf 'HTTP/1.1 401 Unauthorized\r\ncontent-length: 12\r\nconnection: close\r\n\r\nwho are you?'
fi
