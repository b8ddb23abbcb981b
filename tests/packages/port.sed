# SPDX-License-Identifier: MIT
# What handover(3) says to change in a program that uses cpp-httplib: tests/bench/stock_httplib.cpp.
s|#include <httplib\.h>|#include <http/serve.h>|
s|httplib::Server server;|handover::http::Server server;|
s|return server\.listen("0\.0\.0\.0", 9999).*;|return handover::http::serve(server, "0.0.0.0:9999");|
# Time-outs and limits are those of ServerOptions; the standard ones will do.
/server\.new_task_queue = /d
/server\.set_keep_alive_/d
/server\.set_read_timeout/d
