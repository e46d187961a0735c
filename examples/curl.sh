#!/usr/bin/env bash
# TokenHub with nothing but curl. Usage: TOKENHUB_API_KEY=tokenhub_… [TOKENHUB_URL=http://127.0.0.1:8080] examples/curl.sh
set -euo pipefail
url=${TOKENHUB_URL:-http://127.0.0.1:8080}
# -N shows each event of a stream as it comes.
options=(-sSN --fail-with-body -H "Authorization: Bearer ${TOKENHUB_API_KEY:?}" -H 'Content-Type: application/json')

echo '--- a stream; its last line is the cost'
curl "${options[@]}" "$url/v1/chat" -d '{
  "request": {
    "messages": [{"role": "user", "content": "Count from 1 to 10 slowly."}],
    "stream": true
  }
}'

echo '--- who served a stream is in its headers'
curl "${options[@]}" "$url/v1/chat/completions" -D - -o /dev/null -d '{
  "model": "gpt-4",
  "messages": [{"role": "user", "content": "Say hello."}],
  "stream": true
}'

echo '--- the same in one piece'
curl "${options[@]}" "$url/v1/chat/completions" -d '{
  "model": "gpt-4",
  "messages": [{"role": "user", "content": "Say hello."}]
}'
echo

echo '--- the dialect of Anthropic, served by whichever provider has the model'
curl "${options[@]}" "$url/v1/messages" -d '{
  "model": "claude-sonnet-4",
  "max_tokens": 100,
  "messages": [{"role": "user", "content": "Say hello."}],
  "stream": true
}'

echo '--- why a model would be chosen; nobody is called'
curl "${options[@]}" "$url/v1/route/explain" -d '{"messages": [{"role": "user", "content": "Say hello."}]}'
echo
