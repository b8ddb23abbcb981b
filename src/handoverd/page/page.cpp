// SPDX-License-Identifier: MIT
#include "handoverd/page/page.h"

#include "handoverd/client/number_format.h"
#include "handoverd/page/page_assets.h"
#include "handoverd/page/page_flow.h"
#include "handoverd/page/page_model.h"
#include "handoverd/page/page_text.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace handoverd {
namespace {

using nlohmann::json;
using Generation = PageModel::Generation;
using Handover = PageModel::Handover;

/// The word if the style knows it: a class that somebody else has chosen could be any of ours.
template <std::size_t Size>
std::string known(const std::array<std::string_view, Size>& words, const std::string& word) {
    return std::find(words.begin(), words.end(), word) == words.end() ? "unknown" : word;
}

std::string class_of(const Generation& generation) {
    constexpr std::array<std::string_view, 8> roles{"starting", "probation",  "serving", "draining",
                                                    "stopping", "restarting", "ended",   "crashed"};
    return known(roles, generation.role);
}

std::string class_of(const Handover& handover) {
    constexpr std::array<std::string_view, 4> results{"ok", "failed", "rolled_back", "running"};
    return known(results, handover.result);
}

std::string result_in_words(const Handover& handover) {
    return handover.result == "rolled_back" ? "rolled back" : handover.result;
}

std::string headline(const PageModel& model) {
    if (const auto* serving = model.serving())
        return "Generation " + std::to_string(serving->number) + " is serving";
    return "Generation " + std::to_string(model.number) + " is " + model.state;
}

// ---- what is to be known first

Html drains(const PageModel& model) {
    Html html;
    for (const auto& each : model.generations)
        if (each.role == "draining")
            html += Html::of(
                "<span class=\"chip draining\">{} {}, {}</span>",
                {std::to_string(each.number), role_in_words(each, model.now),
                 count_in_words(static_cast<std::int64_t>(each.connections), "connection")});
        else if (each.role == "starting")
            html += Html::of("<span class=\"chip starting\">{} is starting</span>",
                             {std::to_string(each.number)});
    return html;
}

Html hero(const PageModel& model) {
    const auto* serving = model.serving();
    Html chips = drains(model);
    if (serving && serving->role == "probation")
        chips += Html::of("<span class=\"chip probation\">on probation</span>");
    Html about;
    if (serving)
        about = Html::of(
            "<p class=\"about\">Version {}, pid {}; {}</p>",
            {serving->version, std::to_string(serving->pid), origin_in_words(*serving, model.now)});
    return Html::of(
        "<div class=\"hero {}\" data-key=\"hero\"><h1>{}</h1>\n<p class=\"chips\">{}</p>{}</div>\n",
        {serving ? class_of(*serving) : "stopping", headline(model), chips, about});
}

/// The last one, if it did not go well.
Html fault(const PageModel& model) {
    if (model.history.empty()) return {};
    const auto& last = model.history.front();
    if (last.result != "failed" && last.result != "rolled_back") return {};
    return Html::of(
        "<div class=\"fault\" data-key=\"fault\"><h2>The last {} {}</h2>\n<p>{}</p></div>\n",
        {last.kind, last.result == "failed" ? "failed" : "was rolled back", last.reason});
}

// ---- statistics

Html stat(const char* name, const Html& value, const std::string& note) {
    return Html::of("<div><dt>{}</dt><dd>{}</dd><dd class=\"note\">{}</dd></div>\n",
                    {name, value, note});
}

Html connections(const PageModel& model) {
    std::uint64_t sum = 0;
    std::size_t holders = 0;
    for (const auto& each : model.generations) {
        sum += each.connections;
        holders += each.connections != 0 ? 1 : 0;
    }
    return stat("Connections", Html::of("{}", {sum}),
                holders > 1 ? "held by " + std::to_string(holders) + " generations" : "open now");
}

/// The script writes the rate, which takes two looks.
Html requests(const PageModel& model) {
    if (!model.requests) return {};
    return Html::of(
        "<div class=\"requests\" data-key=\"requests\"><dt>Requests</dt>"
        "<dd class=\"rate\" id=\"rate\" data-own data-requests=\"{}\"></dd>"
        "<dd class=\"total\">{}</dd>"
        "<dd class=\"spark\"><svg viewBox=\"0 0 59 20\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\" focusable=\"false\"><path id=\"spark\" data-own /></svg>"
        "</dd></div>\n",
        {std::to_string(*model.requests), *model.requests});
}

Html handovers(const PageModel& model) {
    std::string faults;
    const auto add = [&faults](std::uint64_t count, const char* what) {
        if (count != 0)
            faults += (faults.empty() ? "" : ", ") + grouped(static_cast<std::int64_t>(count)) +
                      " " + what;
    };
    add(model.handovers_failed, "failed");
    add(model.handovers_rolled_back, "rolled back");
    return stat("Handovers", Html::of("{}", {model.handovers_ok}),
                faults.empty() ? "none failed" : faults);
}

Html last_handover(const PageModel& model) {
    const auto last =
        std::find_if(model.history.begin(), model.history.end(), [](const Handover& each) {
            return each.result == "ok" && each.kind != "start" && each.duration;
        });
    if (last == model.history.end()) return {};
    return stat("Last handover took", Html::of("{}", {duration_in_words(*last->duration)}),
                generations_in_words(*last));
}

Html stats(const PageModel& model) {
    return Html::of("<dl class=\"stats\" data-key=\"stats\">\n{}{}{}{}</dl>\n",
                    {connections(model), requests(model), handovers(model), last_handover(model)});
}

// ---- generations

/// On a line of its own below what stands before it.
Html note(const std::string& text) {
    return text.empty() ? Html() : Html::of("<small>{}</small>", {text});
}

Html generation_row(const Generation& generation, const Html& flow, std::int64_t now) {
    const auto number = std::to_string(generation.number);
    const auto since = generation.ended ? "ended " + ago_in_words(now - *generation.ended) : "";
    const auto held =
        generation.has_ended() ? Html() : Html::of("<b>{}</b>", {generation.connections});
    return Html::of(
        "<tr role=\"row\" class=\"{}\" data-key=\"generation-{}\">"
        "<th role=\"rowheader\" scope=\"row\">{}<span class=\"bead\">{}</span></th>"
        "<td role=\"cell\" class=\"does\"><span class=\"role\">{}</span>{}</td>"
        "<td role=\"cell\" class=\"run\">{}<small>pid {}</small></td>"
        "<td role=\"cell\" class=\"came\">{}</td>"
        "<td role=\"cell\" class=\"held\">{}{}</td></tr>\n",
        {class_of(generation), number, flow, number, role_in_words(generation, now), note(since),
         generation.version, std::to_string(generation.pid), origin_in_words(generation, now), held,
         note(endings_in_words(generation))});
}

Html generations(const PageModel& model) {
    if (model.generations.empty()) return {};
    const auto segments = flow_of(model);
    Html rows;
    for (std::size_t row = 0; row < segments.size(); ++row)
        rows += generation_row(model.generations[row], segments[row], model.now);
    return Html::of(
        "<section class=\"generations\" data-key=\"generations\" aria-labelledby=\"generations\">\n"
        "<h2 id=\"generations\">Generations</h2>\n<table role=\"table\">\n"
        "<caption>The newest first; connections flow up from one to the next</caption>\n"
        "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" scope=\"col\">"
        "Generation</th><th role=\"columnheader\" scope=\"col\">Role</th>"
        "<th role=\"columnheader\" scope=\"col\">Version</th>"
        "<th role=\"columnheader\" scope=\"col\">Origin</th>"
        "<th role=\"columnheader\" scope=\"col\">Connections</th></tr></thead>\n"
        "<tbody role=\"rowgroup\">\n{}</tbody></table></section>\n",
        {rows});
}

// ---- the last handovers, and where the service listens

Html handover_row(const Handover& handover, std::int64_t now) {
    return Html::of(
        "<tr role=\"row\" class=\"{}\" data-key=\"handover-{}\"><td role=\"cell\">{}</td>"
        "<th role=\"rowheader\" scope=\"row\">{}</th><td role=\"cell\">{}</td>"
        "<td role=\"cell\" class=\"result\">{}</td><td role=\"cell\" class=\"number\">{}</td>"
        "<td role=\"cell\" class=\"reason\">{}</td></tr>\n",
        {class_of(handover), std::to_string(handover.id),
         handover.at ? ago_in_words(now - *handover.at) : "", handover.kind,
         generations_in_words(handover), result_in_words(handover),
         handover.duration ? duration_in_words(*handover.duration) : "", handover.reason});
}

Html history(const PageModel& model) {
    Html rows;
    for (const auto& each : model.history) rows += handover_row(each, model.now);
    if (model.history.empty())
        rows = Html::of("<tr role=\"row\"><td role=\"cell\" colspan=\"6\">none yet</td></tr>\n");
    return Html::of(
        "<section class=\"history\" aria-labelledby=\"history\">\n"
        "<h2 id=\"history\">Last handovers</h2>\n"
        "<div class=\"wide\" role=\"region\" aria-labelledby=\"history\" tabindex=\"0\">"
        "<table role=\"table\"><caption class=\"unseen\">The last handovers, newest "
        "first</caption>\n"
        "<thead role=\"rowgroup\"><tr role=\"row\"><th role=\"columnheader\" "
        "scope=\"col\">When</th>"
        "<th role=\"columnheader\" scope=\"col\">Kind</th>"
        "<th role=\"columnheader\" scope=\"col\">Generation</th>"
        "<th role=\"columnheader\" scope=\"col\">Result</th>"
        "<th role=\"columnheader\" scope=\"col\" class=\"number\">Took</th>"
        "<th role=\"columnheader\" scope=\"col\">Reason</th></tr>"
        "</thead>\n<tbody role=\"rowgroup\">\n{}</tbody></table></div></section>\n",
        {rows});
}

Html listeners(const PageModel& model) {
    Html rows;
    for (const auto& each : model.listeners)
        rows +=
            Html::of("<tr><th scope=\"row\">{}</th><td class=\"address\">{}</td><td>{}</td></tr>\n",
                     {each.name, each.endpoint, each.source});
    return Html::of(
        "<section class=\"listeners\" aria-labelledby=\"listeners\">\n"
        "<h2 id=\"listeners\">Listeners</h2>\n"
        "<table><caption class=\"unseen\">Where the service listens</caption>\n"
        "<thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Address</th>"
        "<th scope=\"col\">From</th></tr></thead>\n<tbody>\n{}</tbody></table></section>\n",
        {rows});
}

std::string title(const PageModel& model) {
    return headline(model) + " - handoverd";
}

/// The page has each of these names once: what is put in has been escaped, and is not looked at.
std::string filled(std::string_view document,
                   const std::array<std::pair<std::string_view, std::string>, 2>& values) {
    std::string result;
    for (const auto& [name, value] : values) {
        const auto place = document.find(name);
        result += document.substr(0, place);
        result += value;
        document.remove_prefix(place + name.size());
    }
    return result += document;
}

}  // namespace

Html live_part(const json& status) {
    const PageModel model(status);
    return Html::of(
        "<div id=\"live\" data-page=\"{}\" data-title=\"{}\">\n"
        "{}{}{}{}<div class=\"lists\" data-key=\"lists\">\n{}{}</div>\n"
        "<p class=\"build\">Build {}</p></div>\n",
        {std::string(page_id), title(model), hero(model), fault(model), stats(model),
         generations(model), history(model), listeners(model), model.build_id});
}

std::string page(const json& status) {
    return filled(page_document, {{{"{title}", escaped(title(PageModel(status)))},
                                   {"{live}", live_part(status).text()}}});
}

std::string page_policy() {
    return "default-src 'none'; style-src '" + std::string(page_style_hash) + "'; script-src '" +
           std::string(page_script_hash) +
           "'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
           "frame-ancestors 'none'";
}

}  // namespace handoverd
