// SPDX-License-Identifier: MIT
// For clang-tidy --load: its matchers walk through our declarations only. What they find in a
// system header is not printed, but looking there takes three quarters of the time; LLVM 21 does
// not look either. A match in our code still sees all that it refers to, and the static analyzer,
// which looks at the functions of the main file only, is as it was.
#include <clang/AST/ASTConsumer.h>
#include <clang/AST/ASTContext.h>
#include <clang/AST/DeclGroup.h>
#include <clang/Basic/SourceManager.h>
#include <clang/Frontend/FrontendPluginRegistry.h>

#include <memory>
#include <string>
#include <vector>

namespace {

class OurCode : public clang::ASTConsumer {
  public:
    bool HandleTopLevelDecl(clang::DeclGroupRef group) override {
        for (clang::Decl* declaration : group) {
            const auto& sources = declaration->getASTContext().getSourceManager();
            if (!sources.isInSystemHeader(sources.getExpansionLoc(declaration->getLocation())))
                ours_.push_back(declaration);
        }
        return true;
    }

    void HandleTranslationUnit(clang::ASTContext& context) override {
        context.setTraversalScope(ours_);
    }

  private:
    std::vector<clang::Decl*> ours_;
};

class Action : public clang::PluginASTAction {
    std::unique_ptr<clang::ASTConsumer> CreateASTConsumer(clang::CompilerInstance& /*compiler*/,
                                                          llvm::StringRef /*file*/) override {
        return std::make_unique<OurCode>();
    }
    bool ParseArgs(const clang::CompilerInstance& /*compiler*/,
                   const std::vector<std::string>& /*arguments*/) override {
        return true;
    }
    ActionType getActionType() override { return AddBeforeMainAction; }
};

const clang::FrontendPluginRegistry::Add<Action> registered("our-code",
                                                            "what is not in a system header");

}  // namespace
