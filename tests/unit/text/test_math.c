/* Formulas, and TeX's commands in prose, as people read them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text/text.h"

#define N(array) (sizeof(array) / sizeof(*(array)))

struct conversion {
	const char *in;
	const char *out;
};

static void check_all(const struct conversion *cases, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		owned(buf) struct buf out = BUF_INIT(SIZE_MAX);

		text_add_display(&out, span_of(cases[i].in));
		if (strcmp(buf_str(&out), cases[i].out) != 0)
			print_message("case %zu: %s\n", i, cases[i].in);
		assert_string_equal(buf_str(&out), cases[i].out);
	}
}

static void converts_letters_and_symbols(void **state)
{
	static const struct conversion cases[] = {
		{"$\\alpha$-divergence", "α-divergence"},
		{"$\\Lambda$CDM and $\\gamma$-rays", "ΛCDM and γ-rays"},
		{"\\(\\beta\\) \\[x\\] $$\\pi$$", "β x π"},
		{"$\\epsilon$ $\\varphi$ $\\ell_1$", "ε φ ℓ₁"},
		{"$\\infty$ $\\partial_t$ $\\nabla$", "∞ ∂ₜ ∇"},
		{"a 4$\\times$ gain, $\\sim$6-bit", "a 4× gain, ∼6-bit"},
		{"$92.3\\%$ $\\$5$ $\\{x\\}$", "92.3% $5 {x}"},
		{"$-$5 to $10$", "−5 to 10"},
		{"realizability$\\unicode{x2014}$the", "realizability—the"},
		{"$A \\not\\in B$, $a \\not= b$", "A ∉ B, a ≠ b"},
		{"$f'(x)$ $g''$ $x'_1$", "f′(x) g′′ x′₁"},
	};

	(void)state;
	check_all(cases, N(cases));
}

static void raises_and_lowers(void **state)
{
	static const struct conversion cases[] = {
		{"$x^2$ $H_0$ $10^{-3}$", "x² H₀ 10⁻³"},
		{"SD$^2$ H$_2$O $^{12}$C", "SD² H₂O ¹²C"},
		{"$x_i^{(k)}$ $\\sigma_0^2$", "xᵢ⁽ᵏ⁾ σ₀²"},
		{"$K^\\top$ $x^*$ $A^\\dagger$ $90^\\circ$", "Kᵀ x* A† 90°"},
		{"$K^{\\pm}$ $M_\\odot$ $Z^\\prime$", "K± M⊙ Z′"},
		{"$\\sum_{i=1}^n x_i$", "∑ᵢ₌₁ⁿ xᵢ"},
		{"$L_{\\text{train}}$ $10 ^ 5$", "Lₜᵣₐᵢₙ 10⁵"},
		{"CO\\textsubscript{2} 1\\textsuperscript{st}", "CO₂ 1ˢᵗ"},
		/* What Unicode lacks, as it is typed: never a mixture. */
		{"$\\pi_\\theta(a|s)$ $L_q$ $N_{GPU}$", "π_θ(a|s) L_q N_GPU"},
		{"$x_{i,j}$ $x_{iq}$", "x_(i,j) x_iq"},
		{"$e^{i\\omega t}$ $n^{1/2}$", "e^(iωt) n^(1/2)"},
		{"$N^{0.41}$ $x_{0.5}$", "N^0.41 x_0.5"},
		{"$W_Q x$ $W_Q(x)$", "W_Q x W_Q(x)"},
	};

	(void)state;
	check_all(cases, N(cases));
}

static void keeps_the_blanks_that_are_meant(void **state)
{
	static const struct conversion cases[] = {
		{"$ t $ $a + b$ $a+b$", "t a + b a+b"},
		{"$x \\in X$ $x\\in X$", "x ∈ X x∈X"},
		{"$4 \\times 10^5$ $4\\times 10^5$", "4 × 10⁵ 4×10⁵"},
		{"$\\alpha \\beta$ $\\alpha x$", "αβ αx"},
		{"$\\log n$ $n\\log n$ $\\log(n)$", "log n n log n log(n)"},
		{"$\\log_2 n$ $2\\sin^2 x$", "log₂ n 2 sin² x"},
		{"$\\max\\{a, b\\}$", "max{a, b}"},
		{"$x = -1$ $(-x)$ $a \\cdot -b$", "x = −1 (−x) a · −b"},
		{"$\\psi | \\phi$ $P(A | B)$ $|x|$", "ψ | φ P(A | B) |x|"},
		{"$x \\text{ if } y$ $a\\,b$ $a\\!b$", "x if y a b ab"},
		{"$\\operatorname*{arg\\,min}_x f(x)$", "arg minₓ f(x)"},
	};

	(void)state;
	check_all(cases, N(cases));
}

static void builds_what_is_built_of_parts(void **state)
{
	static const struct conversion cases[] = {
		{"$\\frac{1}{2}$ $\\frac12$", "1/2 1/2"},
		{"$\\frac{a+b}{2n}x$", "(a+b)/2n x"},
		{"$\\sqrt{T}$ $\\sqrt{dT}$ $\\sqrt{13}$", "√T √(dT) √13"},
		{"$\\sqrt[3]{x}$ $\\sqrt[n]{x}$", "∛x ⁿ√x"},
		{"$\\binom{n}{k}$ $x \\pmod{7}$", "(n choose k) x (mod 7)"},
		{"$\\hat{\\theta}_n$ $\\bar x$ $\\tilde{O}$", "θ̂ₙ x̄ Õ"},
		{"$\\vec{v}$ $\\hat{y_i}$ $\\hat{\\imath}$", "v⃗ ŷᵢ î"},
		{"$\\left(\\frac{a}{b}\\right)^2$", "(a/b)²"},
		{"$\\left. x\\right|_0$", "x|₀"},
		{"$\\overset{d}{\\to}$ $\\stackrel{*}{=}$", "→ᵈ =*"},
		{"$\\langle x, y \\rangle$ $\\|x\\|_2$", "⟨x, y⟩ ‖x‖₂"},
	};

	(void)state;
	check_all(cases, N(cases));
}

static void knows_the_alphabets(void **state)
{
	static const struct conversion cases[] = {
		{"$\\mathbb{R}^d$ $\\mathbb Z_2$", "ℝᵈ ℤ₂"},
		{"$\\mathcal{L}$ $\\mathcal{O}(n)$", "ℒ 𝒪(n)"},
		{"${\\cal N}=4$ $\\mathfrak{g}$", "𝒩=4 𝔤"},
		{"$\\mathcal{E\\mkern-2mu LI}$", "ℰℒℐ"},
		{"$\\mathbf{x}$ $\\boldsymbol\\theta$", "𝐱 𝛉"},
		/* Emphasis, not symbols. */
		{"$\\mathbf{92.3\\%}$ $\\mathscr{DoAug}$", "92.3% DoAug"},
		{"$\\mathrm{SNR}$ ${\\rm SoftMax}(x)$", "SNR SoftMax(x)"},
		{"$\\texttt{VGGSOUND-2C}$ $proactive$",
	         "VGGSOUND-2C proactive"},
	};

	(void)state;
	check_all(cases, N(cases));
}

static void leaves_a_formula_whole(void **state)
{
	static const char *const formulas[] = {
		"$\\unknown{x}^2$",
		"$\\alpha + \\F_2^n$",
		"$\\widehat{AB}$",
		"$x^{$",
		"$x^$",
		"$\\frac{1}$",
		"$a & b$",
		"$\\begin{cases} 1 \\end{cases}$",
		"$\\sqrt{}$",
		"$ $",
		"$$$$",
		"$\\unicode{x202E}$",
		"$\\unicode{x110000}$",
		"$5 and $10 a day, $5M-$10M",
		"a $ sign",
		"\\(\\q\\)",
	};

	(void)state;
	for (size_t i = 0; i < N(formulas); i++)
		check_all(&(struct conversion){formulas[i], formulas[i]}, 1);
}

static void converts_commands_in_prose(void **state)
{
	static const struct conversion cases[] = {
		{"\\emph{good \\textbf{nested}} \\texttt{a\\_b}",
	         "good nested a_b"},
		{"{\\it Nature} and {\\em post hoc} {\\bf x}",
	         "Nature and post hoc x"},
		{"\\underline{M}ulti \\textsc {Abc}", "Multi Abc"},
		{"\\emph{the $x^2$ law}", "the x² law"},
		{"\\url{https://x.org/~me/a\\_b}", "https://x.org/~me/a_b"},
		{"\\href{https://x.org/a_b}{our page}",
	         "our page (https://x.org/a_b)"},
		{"\\href{https://x.org/a}{x.org/a} \\href{https://y.org}",
	         "https://x.org/a https://y.org"},
		{"as in \\cite{a20}, \\citep[p. 5]{b,c}", "as in [a20], [b,c]"},
		{"done\\footnote{Almost.}", "done (Almost.)"},
		{"\\textcolor{red}{x} {\\color{red}y}", "x y"},
		{"5\\sigma, \\epsilon-close, \\sigma_{\\min} of A",
	         "5σ, ε-close, σₘᵢₙ of A"},
		{"10\\deg, (\\ie, \\LaTeX{} here)", "10°, (i.e., LaTeX here)"},
	};

	(void)state;
	check_all(cases, N(cases));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(converts_letters_and_symbols),
		cmocka_unit_test(raises_and_lowers),
		cmocka_unit_test(keeps_the_blanks_that_are_meant),
		cmocka_unit_test(builds_what_is_built_of_parts),
		cmocka_unit_test(knows_the_alphabets),
		cmocka_unit_test(leaves_a_formula_whole),
		cmocka_unit_test(converts_commands_in_prose),
	};

	return cmocka_run_group_tests_name("math", tests, NULL, NULL);
}
