# Writes folder/feeds/cs.CL.xml with `papers` papers, folder/arxmail.conf with
# `readers` subscribers who look for three keywords each, and the same readers
# for the peer: folder/readers.tsv.
#
# A paper of 170 words has 1.6 of 240 keywords on average: a reader's three
# find 20 of 1,000 papers.
BEGIN {
	seed = 20261122
	n_words = split("adaptive attention bayesian benchmark calibration causal " \
	    "cluster coding compression convex corpus data decoding density " \
	    "diffusion distillation embedding entropy estimation evaluation " \
	    "fairness feature federated forecast fusion gaussian generation " \
	    "gradient graph grammar hashing image inference kernel knowledge " \
	    "language latent lattice lexicon manifold memory metric mixture " \
	    "molecule multilingual network noise optimal parsing pipeline planning " \
	    "policy privacy prompt proof protein pruning quantum query ranking " \
	    "reasoning regression retrieval robot sampling scaling semantic " \
	    "sequence signal sparse speech spectral stochastic structure summary " \
	    "survey symbolic syntax temporal tensor token topology transfer tree " \
	    "uncertainty unsupervised variational vision wavelet", words, " ")
	n_kinds = split("hyper meta quasi", kinds, " ")
	write_feed(folder "/feeds/cs.CL.xml")
	write_config(folder "/arxmail.conf")
}

# Park and Miller's generator: the same in every awk.
function draw(n)
{
	seed = (seed * 16807) % 2147483647
	return seed % n
}

function text(n,    i, out)
{
	out = ""
	for (i = 0; i < n; i++)
		out = out (i ? " " : "") words[1 + draw(n_words)]
	return out
}

function keyword()
{
	return kinds[1 + draw(n_kinds)] words[1 + draw(n_words)]
}

function sentences(n,    i, out)
{
	out = ""
	for (i = 0; i < n; i++)
		out = out (i ? " " : "") "We show " text(18) " " \
		    (draw(5) ? text(1) : keyword()) "."
	return out
}

# About as long as real ones: 9 and 170 words.
function write_feed(path,    i, id)
{
	print "<?xml version='1.0' encoding='UTF-8'?>\n" \
	      "<rss xmlns:arxiv=\"http://arxiv.org/schemas/atom\" " \
	      "xmlns:dc=\"http://purl.org/dc/elements/1.1/\" version=\"2.0\">" \
	      "<channel><title>cs.CL updates on arXiv.org</title>" > path
	for (i = 1; i <= papers; i++) {
		id = sprintf("2611.%05d", 90000 + i)
		print "<item><title>On " text(8) "</title>\n" \
		      "<link>https://arxiv.org/abs/" id "</link>\n" \
		      "<description>arXiv:" id "v1 Announce Type: new \n" \
		      "Abstract: " sentences(8) "</description>\n" \
		      "<guid isPermaLink=\"false\">oai:arXiv.org:" id \
		      "v1</guid>\n<category>cs.CL</category>\n" \
		      "<arxiv:announce_type>new</arxiv:announce_type>\n" \
		      "<dc:creator>Ada Author" draw(400) ", Bo Writer" draw(400) \
		      "</dc:creator></item>" > path
	}
	print "</channel></rss>" > path
	close(path)
}

function write_config(path,    i, sep, wanted, list)
{
	list = folder "/readers.tsv"
	print "state_dir = \"" folder "/state\";\n" \
	      "sender: { from = \"digest@example.org\"; };\n" \
	      "smtp: { url = \"smtp://127.0.0.1:" port "\"; tls = \"none\"; " \
	      "per_connection = 0; };\n" \
	      "feeds: { contact = \"admin@example.org\"; " \
	      "url = \"file://" folder "/feeds/{category}.xml\"; };\n" \
	      "subscribers = (" > path
	sep = ""
	for (i = 1; i <= readers; i++) {
		wanted = "\"" keyword() "\", \"" keyword() "\", \"" keyword() "\""
		printf "%s  { email = \"reader%d@example.org\"; " \
		       "categories = [\"cs.CL\"]; keywords = [%s]; }", sep, i, \
		       wanted > path
		sep = ",\n"
		gsub(/"/, "", wanted)
		print "reader" i "@example.org\t" wanted > list
	}
	print "\n);" > path
	close(path)
	close(list)
}
