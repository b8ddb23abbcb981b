// SPDX-License-Identifier: MIT
#include "handoverd/page/page_routes.h"

#include "handoverd/page/page.h"

#include <string>
#include <utility>

namespace handoverd {
namespace {

void answer(httplib::Response& response, const std::string& markup) {
    response.set_header("Content-Security-Policy", page_policy());
    response.set_header("X-Content-Type-Options", "nosniff");
    response.set_header("Cross-Origin-Resource-Policy", "same-origin");
    response.set_header("Referrer-Policy", "no-referrer");
    response.set_header("Cache-Control", "no-store");
    response.set_content(markup, "text/html; charset=utf-8");
}

}  // namespace

void add_page_routes(handover::http::Server& admin, std::function<nlohmann::json()> status) {
    admin.Get("/", [status](const httplib::Request&, httplib::Response& response) {
        answer(response, page(status()));
    });
    admin.Get("/live",
              [status = std::move(status)](const httplib::Request&, httplib::Response& response) {
                  answer(response, live_part(status()).text());
              });
}

}  // namespace handoverd
