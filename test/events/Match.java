import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import software.amazon.event.ruler.Ruler;

/** Reads [{"pattern": …, "event": …}, …] and writes for each whether EventBridge would match it. */
class Match {
  public static void main(String[] arguments) throws Exception {
    ObjectMapper mapper = new ObjectMapper();
    ArrayNode answers = mapper.createArrayNode();
    for (var question : mapper.readTree(System.in)) {
      answers.add(Ruler.matchesRule(question.get("event").toString(), question.get("pattern").toString()));
    }
    System.out.println(answers);
  }
}
